#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actors/product/product_messages.hpp"
#include "http/server/json_writer.hpp"
#include "http/stock_json.hpp"

namespace omnicart::http {

// The product of api.md as one JSON object. `variants`: JSON of the member of that name; empty: it has none.
void write_product(json_writer& json, const std::string& id, const product::product_view& view, std::uint64_t version,
                   const availability& stock, std::string_view variants = {});

// {"size": "L"}
void write_pairs(json_writer& json, const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace omnicart::http
