#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/server/json_reader.hpp"
#include "http/shop.hpp"

// What a change of stock is checked for before the stock is asked.
namespace omnicart::http {

// The most units that a body may name.
inline constexpr std::int64_t units_max = 1'000'000'000'000;

// 404 for a product that never was; nothing for one that is or was sold.
task<std::optional<response>> unknown_product(const shop& in, request& req, const std::string& id);

// What a member of a body says a location is for. Units may leave one that is closed, and come in
// to none that is.
enum class location_use { source, target };

// An optional member that names a location; empty when it is absent. Errors go to the reader's
// list.
std::string read_location_id(object_reader& read, std::string_view name);

// 422 with the member's pointer and no_such_location or location_closed; nothing for a location
// that will do, and for none. One that is closed after this was asked still gets what is on its
// way.
task<std::optional<response>> unfit_location(const shop& in, request& req,
                                             const std::string& location, location_use use,
                                             std::string_view member);

// 422: `code` of one member of the body.
response refuse_member(const request& req, std::string_view code, std::string_view member,
                       std::string_view detail);

}  // namespace omnicart::http
