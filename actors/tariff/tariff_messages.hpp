#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/pricing/pricing_terms.hpp"
#include "runtime/base/entity.hpp"

// What the shop charges besides its prices: taxes and shipping. One entity, "tariff/shop", that
// staff set as a whole.
namespace omnicart::tariff {

inline constexpr const char* shop_id = "shop";

enum class errc : error_number {
  invalid_tax_rates = 1700,         // detail says which member
  invalid_shipping_methods = 1701,  // the same
};
const char* to_string(errc code);

struct country_rate {
  std::string country;  // ISO 3166 alpha-2, or "*": every country without a rate of its own
  pricing::tax_rate rate;
  friend bool operator==(const country_rate&, const country_rate&) = default;
  OMNICART_FIELDS(country, rate)
};
struct taxes {
  bool prices_include_tax = false;
  std::string home_country;  // taxed as if it went there when the destination is not known; empty:
                             // not taxed
  std::vector<country_rate> rates;
  friend bool operator==(const taxes&, const taxes&) = default;
  OMNICART_FIELDS(prices_include_tax, home_country, rates)
};

struct zone {
  std::string id;
  std::vector<std::string> countries;  // "*": whatever is in no other zone
  friend bool operator==(const zone&, const zone&) = default;
  OMNICART_FIELDS(id, countries)
};
struct zone_method {
  std::string zone;
  pricing::shipping_method method;
  friend bool operator==(const zone_method&, const zone_method&) = default;
  OMNICART_FIELDS(zone, method)
};
struct shipping {
  std::vector<zone> zones;
  std::vector<zone_method> methods;  // a method's id may stand in several zones, once in each
  friend bool operator==(const shipping&, const shipping&) = default;
  OMNICART_FIELDS(zones, methods)
};

// Staff; the same again: no event.
struct set_taxes {
  taxes content;
  OMNICART_FIELDS(content)
};
struct set_shipping {
  shipping content;
  OMNICART_FIELDS(content)
};
struct get {
  OMNICART_FIELDS()
};

using command = std::variant<set_taxes, set_shipping, get>;

// Answer to every command.
struct tariff_view {
  taxes tax;
  shipping carriage;
  timestamp_ms updated_at;
  // Nothing was ever set: orders cost what their lines cost.
  bool blank() const { return tax == taxes{} && carriage == shipping{}; }
  OMNICART_FIELDS(tax, carriage, updated_at)
};
using reply = tariff_view;

// What holds for a destination; `country` empty: none is known, so the home country's taxes and no
// shipping.
pricing::terms terms_for(const tariff_view& shop, std::string_view country);

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::tariff
