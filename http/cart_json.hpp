#pragma once

#include <string>
#include <string_view>

#include "actors/cart/cart_messages.hpp"
#include "http/cart_quote.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/money.hpp"

namespace omnicart::http {

// An amount, in `currency` when it has none of its own yet (an empty cart).
void write_money(json_writer& json, std::string_view name, money amount, currency_code currency);

// The cart of api.md. Without a quote it comes to the sum of its lines: discounts, shipping and tax are 0.
std::string cart_json(const std::string& id, const cart::cart_view& view, std::uint64_t version, currency_code currency,
                      const cart_quote* quote = nullptr);

// What adding or changing lines answers: the line (`item`; `items` for several) and the cart's totals.
std::string change_json(const cart::change_view& view, std::uint64_t version, currency_code currency, bool several);

}  // namespace omnicart::http
