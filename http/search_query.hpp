#pragma once

#include "http/product_search.hpp"
#include "http/server/message.hpp"
#include "runtime/base/money.hpp"

namespace omnicart::http {

// The query of GET /api/products. `own`: the shop's currency, which prices are in unless "currency"
// says otherwise. Failure: 400 invalid_query with every bad parameter.
tl::expected<search_query, response> read_search_query(const request& req, currency_code own);

// Whether the plain list answers it: no text, no filter, and an order that needs no search. That
// list knows the products' first prices only, as a rule those in the shop's `own` currency.
bool is_plain_list(const search_query& query, currency_code own);

}  // namespace omnicart::http
