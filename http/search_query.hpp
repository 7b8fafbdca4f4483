#pragma once

#include "http/product_query.hpp"
#include "http/server/message.hpp"
#include "runtime/base/money.hpp"

namespace omnicart::http {

// The query of GET /api/products. `own`: the shop's currency, which prices are in unless "currency"
// says otherwise. Failure: 400 invalid_query with every bad parameter.
tl::expected<search_query, response> read_search_query(const request& req, currency_code own);

// Whether the list of all products answers it: no text, no filter, and an order that needs no sales.
bool is_plain_list(const search_query& query);

}  // namespace omnicart::http
