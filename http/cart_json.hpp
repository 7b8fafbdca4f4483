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

// For who takes along what is known of them: the lines and their sum, the codes that were entered and where it is to go.
// Not what it comes to with those, which is found out anew whenever the cart is read.
std::string exported_cart_json(const std::string& id, const cart::cart_view& view, std::uint64_t version,
                               currency_code currency);

// Of a cart that was changed, and what it comes to could not be found out: the sum of its lines alone, and why, as a
// problem code (`unpriced`).
std::string unpriced_cart_json(const std::string& id, const cart::cart_view& view, std::uint64_t version,
                               currency_code currency, std::string_view why);

// What a login's cart could not take over of the guest's: `not_carried_over`, unless that is nothing.
void write_left_behind(json_writer& json, const cart::left_behind& left);

// Whether a change was asked for one line (answered as `item`) or for an array of them (`items`).
enum class how_many { one, several };

// What adding or changing lines answers: the lines touched and the cart's totals, of a cart that comes to the sum of
// its lines. Costs the same for a long cart and a short one.
std::string change_json(const cart::change_view& view, std::uint64_t version, currency_code currency, how_many asked);

// As unpriced_cart_json.
std::string unpriced_change_json(const cart::change_view& view, std::uint64_t version, currency_code currency,
                                 how_many asked, std::string_view why);

// The same of a cart that was priced: lines and totals are those of `now`, which `quote` is of. A line that is gone by
// then has quantity 0.
std::string change_json(const cart::change_view& changed, const cart::cart_view& now, std::uint64_t version,
                        currency_code currency, const cart_quote& quote, how_many asked);

}  // namespace omnicart::http
