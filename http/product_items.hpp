#pragma once

#include <string>
#include <vector>

#include "http/product_search.hpp"
#include "http/server/json_writer.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Whole products with what is in stock, as a JSON array: what their actors say now, so that one
// retired since the list was made is left out. Failure: the answer to send.
task<tl::expected<std::string, response>> product_items(const shop& in, request& req,
                                                        std::vector<std::string> ids);

// The member "variants" of a product, whose tag changes with it.
std::string variants_json(const std::vector<product_variant>& others);

// The answer of GET /api/products around its items.
std::string search_page_json(const search_query& query, const search_page& page,
                             const std::string& items);

}  // namespace omnicart::http
