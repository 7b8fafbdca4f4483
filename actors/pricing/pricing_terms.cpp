#include "actors/pricing/pricing_terms.hpp"

#include <algorithm>

#include "runtime/base/category_path.hpp"

namespace omnicart::pricing {
namespace {

// "20 %", "17.5 %".
std::string percent_text(std::int64_t bps) {
  std::string text = std::to_string(bps / 100);
  if (bps % 100 != 0) {
    std::string decimals = std::to_string(100 + bps % 100).substr(1);
    if (decimals.back() == '0') decimals.pop_back();
    text += '.' + decimals;
  }
  return text + " %";
}

}  // namespace

const char* to_string(discount_type type) {
  switch (type) {
    case discount_type::percentage:
      return "percentage";
    case discount_type::fixed:
      return "fixed";
    case discount_type::free_shipping:
      return "free_shipping";
    case discount_type::buy_x_get_y:
      return "buy_x_get_y";
  }
  return "";
}

bool lies_in(std::string_view category, std::string_view above) {
  return omnicart::lies_in(category, above);
}

const money* in_currency(const std::vector<money>& amounts, currency_code currency) {
  const auto at = std::find_if(amounts.begin(), amounts.end(),
                               [&](const money& m) { return m.currency == currency; });
  return at == amounts.end() ? nullptr : &*at;
}

const tax_rate* rate_for(const terms& at, std::string_view category) {
  const tax_rate* best = nullptr;
  for (const tax_rate& rate : at.rates) {
    if (!lies_in(category, rate.category)) continue;
    if (!best || rate.category.size() > best->category.size()) best = &rate;
  }
  return best;
}

std::optional<std::int64_t> carriage_minor(const shipping_method& with, std::int64_t weight_g,
                                           currency_code currency) {
  const auto band = std::find_if(with.bands.begin(), with.bands.end(),
                                 [&](const weight_band& b) { return weight_g <= b.max_weight_g; });
  if (band == with.bands.end()) return std::nullopt;
  const money* price = in_currency(band->prices, currency);
  return price ? std::optional(price->amount_minor) : std::nullopt;
}

std::string reason_of(const discount_rule& rule) {
  switch (rule.type) {
    case discount_type::percentage:
      return percent_text(rule.rate_bps) + " off";
    case discount_type::fixed:
      return "amount off";
    case discount_type::free_shipping:
      return "free shipping";
    case discount_type::buy_x_get_y: {
      const std::string units =
          "buy " + std::to_string(rule.buy) + " get " + std::to_string(rule.get);
      return units +
             (rule.rate_bps == whole_bps ? " free" : " at " + percent_text(rule.rate_bps) + " off");
    }
  }
  return "";
}

}  // namespace omnicart::pricing
