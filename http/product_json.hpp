#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actors/product/product_messages.hpp"
#include "http/server/json_writer.hpp"
#include "http/stock_json.hpp"

namespace omnicart::http {

// The product of api.md as one JSON object.
void write_product(json_writer& json, const std::string& id, const product::product_view& view, std::uint64_t version,
                   const availability& stock);

}  // namespace omnicart::http
