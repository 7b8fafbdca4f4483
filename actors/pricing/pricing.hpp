#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/pricing/pricing_terms.hpp"
#include "runtime/base/money.hpp"
#include "runtime/base/result.hpp"

// What an order comes to: a pure function of its lines, the coupons held for it and the shop's
// terms.
//
// All amounts are whole minor units of one currency; intermediate products have 128 bits. What is
// rounded is rounded half away from zero, once per line. The order of work, which is the stacking
// rule too (docs/pricing.md):
//
//   1 buy-x-get-y, 2 percentages, 3 fixed amounts, each in the order of the codes, each on what the
//   ones before left; 4 shipping by the chosen method (else the cheapest) for the weight, 5 free
//   shipping takes it off again, 6 shares of shipping per line, 7 tax per line on what is left of
//   its goods and on its share of shipping.
//
// A coupon that does not apply is set aside with its reason, and the others are applied without it.
namespace omnicart::pricing {

struct item {
  std::uint32_t line_id = 0;
  product_id product;
  std::string category;
  std::int64_t quantity = 0;
  money unit_price;
  std::int64_t weight_g = 0;  // of one
};

struct held_coupon {
  std::string code;
  discount_rule rule;
};

struct question {
  std::vector<item> items;
  std::vector<held_coupon> coupons;  // in any order: the answer is the same
  terms of_shop;
  std::string method;  // the shipping method wished for; empty: the cheapest that carries the goods
};

// Why a coupon of the question gives nothing. Stored: numbers are never reused.
enum class obstacle : std::uint8_t {
  none = 0,
  nothing_eligible = 1,  // no line is of its products or category, or too few units
  minimum_not_met = 2,   // the eligible goods cost less than its minimum, before any discount
  other_currency = 3,    // it knows no amount in the order's currency
  not_combinable = 4,    // it does not go together with other coupons
  nothing_to_ship = 5,   // free shipping where nothing is charged for shipping
};
const char* to_string(obstacle why);

struct discount {
  std::string code;
  std::int64_t amount_minor = 0;  // positive
  std::string reason;             // "10 % off", "buy 2 get 1"
  friend bool operator==(const discount&, const discount&) = default;
  OMNICART_FIELDS(code, amount_minor, reason)
};

// One line. total = goods - discount + shipping, and + tax unless prices have it in them.
struct line_price {
  std::uint32_t line_id = 0;
  std::int64_t goods_minor = 0;  // unit price times quantity
  std::vector<discount> discounts;
  std::int64_t discount_minor = 0;  // the sum of them, at most goods
  std::int64_t shipping_minor = 0;  // its share of what shipping costs
  std::int64_t tax_bps = 0;
  std::string tax_name;  // "VAT 20 %" as the shop calls it, or why there is none
  std::int64_t tax_minor = 0;
  std::int64_t total_minor = 0;
  friend bool operator==(const line_price&, const line_price&) = default;
  OMNICART_FIELDS(line_id, goods_minor, discounts, discount_minor, shipping_minor, tax_bps,
                  tax_name, tax_minor, total_minor)
};

struct set_aside {
  std::string code;
  obstacle why = obstacle::none;
  friend bool operator==(const set_aside&, const set_aside&) = default;
  OMNICART_FIELDS(code, why)
};

// total = subtotal - discount + shipping, and + tax unless prices have it in them. Each is the sum
// of its lines.
struct breakdown {
  currency_code currency;
  bool prices_include_tax = false;
  std::string country;
  std::vector<line_price> lines;
  std::string method;  // shipping; empty: none
  std::string method_name;
  std::vector<discount> shipping_discounts;  // free shipping: what it would have cost
  bool not_deliverable =
      false;  // the shop ships, and has no (such) method for this destination, weight and currency
  std::vector<set_aside> aside;
  std::int64_t subtotal_minor = 0;
  std::int64_t discount_minor = 0;  // of goods
  std::int64_t shipping_minor = 0;
  std::int64_t tax_minor = 0;
  std::int64_t total_minor = 0;
  friend bool operator==(const breakdown&, const breakdown&) = default;
  OMNICART_FIELDS(currency, prices_include_tax, country, lines, method, method_name,
                  shipping_discounts, not_deliverable, aside, subtotal_minor, discount_minor,
                  shipping_minor, tax_minor, total_minor)
};

// Refusals: base_errc::malformed without items, for a quantity below 1 or a negative price or
// weight; base_errc::overflow for prices in several currencies and sums outside 64 bits.
result<breakdown> price(const question& what);

// Whether the figures add up: every line, and the sums of the lines.
bool adds_up(const breakdown& what);

// `amount` times `part` by `whole`, rounded half away from zero. whole > 0; the result must fit 64
// bits, as it does for 0 <= part <= whole.
std::int64_t round_share(std::int64_t amount, std::int64_t part, std::int64_t whole);

// Cuts `amount` into shares in proportion to the weights, which add up to it exactly: a share
// differs from its exact part by less than one. All zero weights: all of it to the first. Weights
// and amount are not negative.
std::vector<std::int64_t> cut(std::int64_t amount, const std::vector<std::int64_t>& weights);

}  // namespace omnicart::pricing
