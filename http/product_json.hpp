#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actors/product/product_messages.hpp"
#include "actors/stock/stock_messages.hpp"
#include "http/server/json_writer.hpp"

namespace omnicart::http {

// "in_stock", "low_stock" (at most 5 units) or "out_of_stock".
std::string_view stock_state(std::int64_t available);

// The product of api.md as one JSON object. `variants`: JSON of the member of that name; empty: it has none.
void write_product(json_writer& json, const std::string& id, const product::product_view& view, std::uint64_t version,
                   std::int64_t available, std::string_view variants = {});

// {"size": "L"}
void write_pairs(json_writer& json, const std::vector<std::pair<std::string, std::string>>& pairs);

// "stock": {"available": 8, "state": "in_stock"}
void write_availability(json_writer& json, std::int64_t available);

}  // namespace omnicart::http
