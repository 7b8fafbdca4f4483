#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fields.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/money.hpp"

// What prices depend on besides the goods: the shop's taxes and shipping for one destination, and
// what a coupon gives. Stored with the orders they priced: fields are only ever added, at the end.
namespace omnicart::pricing {

inline constexpr std::int64_t whole_bps = 10'000;  // basis points in one

// A category is a path "a > b > c"; a rate or rule for "a > b" holds for it and for all below it.
struct tax_rate {
  std::string category;  // empty: whatever has no rate of its own
  std::int64_t rate_bps = 0;
  std::string name;
  friend bool operator==(const tax_rate&, const tax_rate&) = default;
  OMNICART_FIELDS(category, rate_bps, name)
};

struct weight_band {
  std::int64_t max_weight_g = 0;
  std::vector<money> prices;  // one per currency
  friend bool operator==(const weight_band&, const weight_band&) = default;
  OMNICART_FIELDS(max_weight_g, prices)
};

struct shipping_method {
  std::string id;
  std::string name;
  std::vector<weight_band> bands;  // by ascending weight; heavier than the last: not carried
  std::vector<money>
      free_from;  // per currency: goods after discounts of at least this ship for nothing
  friend bool operator==(const shipping_method&, const shipping_method&) = default;
  OMNICART_FIELDS(id, name, bands, free_from)
};

// What holds for one destination.
struct terms {
  std::string country;  // ISO 3166 alpha-2; empty: none known
  bool prices_include_tax = false;
  std::vector<tax_rate> rates;
  bool ships = false;  // something has to be charged, or said, for shipping
  std::vector<shipping_method> methods;
  friend bool operator==(const terms&, const terms&) = default;
  OMNICART_FIELDS(country, prices_include_tax, rates, ships, methods)
};

enum class discount_type : std::uint8_t {
  percentage = 0,
  fixed = 1,
  free_shipping = 2,
  buy_x_get_y = 3
};
const char* to_string(discount_type type);

struct discount_rule {
  discount_type type = discount_type::percentage;
  std::int64_t rate_bps =
      0;  // percentage; buy_x_get_y: off the units that are "got", 10,000 for free
  std::vector<money> amounts;  // fixed: one per currency
  std::int64_t buy = 0;        // buy_x_get_y: of every buy + get units, the get cheapest
  std::int64_t get = 0;
  std::string category;              // empty: any
  std::vector<product_id> products;  // empty: any
  std::vector<money> minimums;       // of the eligible goods, per currency; empty: none
  bool exclusive = false;            // goes together with no other coupon
  friend bool operator==(const discount_rule&, const discount_rule&) = default;
  OMNICART_FIELDS(type, rate_bps, amounts, buy, get, category, products, minimums, exclusive)
};

// Whether `category` is `above` or lies below it. Everything lies below the empty path.
bool lies_in(std::string_view category, std::string_view above);

// The amount in that currency; nullptr when there is none.
const money* in_currency(const std::vector<money>& amounts, currency_code currency);

// The rate of the longest path that the category lies in; nullptr: no rate, so no tax.
const tax_rate* rate_for(const terms& at, std::string_view category);

// The price of a method for goods of that weight; nothing when it does not carry them, or not in
// this currency.
std::optional<std::int64_t> carriage_minor(const shipping_method& with, std::int64_t weight_g,
                                           currency_code currency);

// "Off all", "10 % off", "buy 2 get 1 free": what stands beside an amount.
std::string reason_of(const discount_rule& rule);

}  // namespace omnicart::pricing
