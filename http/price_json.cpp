#include "http/price_json.hpp"

#include <algorithm>

namespace omnicart::http {
namespace {

void write_discounts(json_writer& json, std::string_view name,
                     const std::vector<pricing::discount>& all, std::string_view currency) {
  json.key(name).begin_array();
  for (const auto& each : all) {
    json.begin_object().member("code", each.code);
    json.key("amount").money_value(each.amount_minor, currency);
    json.member("reason", each.reason).end_object();
  }
  json.end_array();
}

}  // namespace

void write_line_price(json_writer& json, const pricing::breakdown& prices, std::size_t index) {
  const pricing::line_price& line = prices.lines[index];
  const std::string_view currency = prices.currency.text();
  write_discounts(json, "discounts", line.discounts, currency);
  json.key("discount").money_value(line.discount_minor, currency);
  json.key("shipping").money_value(line.shipping_minor, currency);
  if (line.shipping_minor > 0) {
    json.member("shipping_reason", prices.method_name.empty() ? prices.method : prices.method_name);
  }
  json.key("tax").begin_object().member("rate_bps", line.tax_bps).member("reason", line.tax_name);
  json.key("amount").money_value(line.tax_minor, currency);
  json.end_object();
  json.key("total").money_value(line.total_minor, currency);
}

void write_totals(json_writer& json, const pricing::breakdown& prices) {
  const std::string_view currency = prices.currency.text();
  json.key("subtotal").money_value(prices.subtotal_minor, currency);
  json.key("discount_total").money_value(prices.discount_minor, currency);
  json.key("shipping_total").money_value(prices.shipping_minor, currency);
  json.key("tax_total").money_value(prices.tax_minor, currency);
  json.key("total").money_value(prices.total_minor, currency);
  json.member("prices_include_tax", prices.prices_include_tax)
      .member("rounding", "half away from zero, per line");
  if (!prices.country.empty()) json.member("tax_country", prices.country);
  if (prices.method.empty() && !prices.not_deliverable) return;
  json.key("shipping").begin_object().member("deliverable", !prices.not_deliverable);
  if (!prices.method.empty())
    json.member("method", prices.method).member("name", prices.method_name);
  if (!prices.shipping_discounts.empty()) {
    write_discounts(json, "discounts", prices.shipping_discounts, currency);
  }
  json.end_object();
}

void write_codes(json_writer& json, const std::vector<std::string>& coupons,
                 const std::vector<order::gift_payment>& gifts, money total) {
  const std::string_view currency = total.currency.text();
  if (!coupons.empty()) {
    json.key("coupons").begin_array();
    for (const auto& code : coupons) json.value(code);
    json.end_array();
  }
  if (gifts.empty()) return;
  money left = total, returned{0, total.currency};
  json.key("gift_cards").begin_array();
  for (const auto& each : gifts) {
    json.begin_object()
        .member("code", each.code)
        .key("amount")
        .money_value(each.amount.amount_minor, currency);
    if (each.returned_minor > 0) json.key("refunded").money_value(each.returned_minor, currency);
    json.end_object();
    returned.amount_minor += each.returned_minor;
    left.amount_minor -= each.amount.amount_minor;
  }
  json.end_array();
  json.key("gift_card_total").money_value(total.amount_minor - left.amount_minor, currency);
  json.key("amount_due").money_value(left.amount_minor, currency);
  if (returned.amount_minor > 0)
    json.key("gift_card_refunded").money_value(returned.amount_minor, currency);
}

void write_refused_code(json_writer& json, cart::code_kind kind, std::string_view code, std::string_view reason) {
  json.begin_object()
      .member("kind", kind == cart::code_kind::coupon ? "coupon" : "gift_card")
      .member("code", code)
      .member("reason", reason)
      .end_object();
}

void write_refused_codes(json_writer& json, const std::vector<order::refused_code>& refused) {
  if (refused.empty()) return;
  json.key("refused_codes").begin_array();
  for (const auto& each : refused) write_refused_code(json, each.kind, each.code, each.reason);
  json.end_array();
}

bool is_country(std::string_view text) {
  return text.size() == 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::optional<std::string> read_code(std::string_view text) {
  constexpr std::size_t least = 3, most = 64;
  if (text.size() < least || text.size() > most) return std::nullopt;
  std::string code(text);
  for (char& c : code) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!plain) return std::nullopt;
  }
  return code;
}

}  // namespace omnicart::http
