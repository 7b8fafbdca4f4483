#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/order/order_messages.hpp"
#include "actors/pricing/pricing.hpp"
#include "http/server/json_writer.hpp"

namespace omnicart::http {

// What pricing makes of the line at `index`, as further members of its object: discounts with their
// reasons, its share of shipping with the method's name, its tax with rate and name, and what it
// adds to the total.
void write_line_price(json_writer& json, const pricing::breakdown& prices, std::size_t index);

// The totals: subtotal, discount_total, shipping_total, tax_total, total, and how they came about.
void write_totals(json_writer& json, const pricing::breakdown& prices);

// "coupons", "gift_cards", "gift_card_total", "amount_due" and, for codes that were refused,
// "refused_codes".
void write_codes(json_writer& json, const std::vector<std::string>& coupons,
                 const std::vector<order::gift_payment>& gifts, money total);
void write_refused_code(json_writer& json, cart::code_kind kind, std::string_view code, std::string_view reason);
void write_refused_codes(json_writer& json, const std::vector<order::refused_code>& refused);

// A coupon's or gift card's code as typed: 3-64 letters, digits, '-' and '_', in capital letters.
// Nothing for other text.
std::optional<std::string> read_code(std::string_view text);
// Two capital letters, as ISO 3166 alpha-2 countries have.
bool is_country(std::string_view text);

}  // namespace omnicart::http
