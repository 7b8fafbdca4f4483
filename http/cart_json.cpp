#include "http/cart_json.hpp"

#include "http/price_json.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::http {
namespace {

void write_line(json_writer& json, const cart::line_view& line, const pricing::line_price* price = nullptr) {
  json.begin_object()
      .member("line_id", line.line_id)
      .member("product_id", line.product.str())
      .member("name", line.name)
      .member("quantity", line.quantity);
  json.key("unit_price").money_value(line.unit_price.amount_minor, line.unit_price.currency.text());
  json.key("line_total").money_value(line.line_total.amount_minor, line.line_total.currency.text());
  if (price) write_line_price(json, *price, line.unit_price.currency.text());
  json.end_object();
}

void write_sums(json_writer& json, const cart::cart_view& view, currency_code own) {
  write_money(json, "subtotal", view.subtotal, own);
  for (const char* none : {"discount_total", "shipping_total", "tax_total"}) write_money(json, none, {0, own}, own);
  write_money(json, "total", view.subtotal, own);
}

void write_wishes(json_writer& json, const cart::cart_view& view, const cart_quote& quote) {
  const auto& prices = quote.prices;
  write_codes(json, quote.coupons, quote.gifts, prices ? money{prices->total_minor, prices->currency} : money{});
  write_refused_codes(json, quote.refused);
  if (view.with.country.empty() && view.with.method.empty()) return;
  json.key("ship_to").begin_object();
  if (!view.with.country.empty()) json.member("country", view.with.country);
  if (!view.with.method.empty()) json.member("method", view.with.method);
  json.end_object();
}

}  // namespace

void write_money(json_writer& json, std::string_view name, money amount, currency_code currency) {
  const bool none = amount.currency == currency_code{};
  json.key(name).money_value(amount.amount_minor, (none ? currency : amount.currency).text());
}

std::string cart_json(const std::string& id, const cart::cart_view& view, std::uint64_t version, currency_code currency,
                      const cart_quote* quote) {
  std::string body;
  body.reserve(256 + 200 * view.lines.size());
  json_writer json(body);
  json.begin_object().member("cart_id", id).member("version", version);
  if (view.sealed_by) json.member("sealed_by", view.sealed_by->str());
  json.key("items").begin_array();
  const bool priced = quote && quote->prices;
  for (std::size_t i = 0; i < view.lines.size(); ++i) {
    write_line(json, view.lines[i], priced ? &quote->prices->lines[i] : nullptr);
  }
  json.end_array().member("item_count", view.item_count);
  const currency_code own = view.subtotal.currency == currency_code{} ? currency : view.subtotal.currency;
  if (priced) {
    write_totals(json, *quote->prices);
  } else {
    write_sums(json, view, own);
  }
  if (quote) write_wishes(json, view, *quote);
  if (version == 0) {
    json.key("updated_at").null();
  } else {
    json.member("updated_at", to_rfc3339(view.updated_at));
  }
  json.end_object();
  return body;
}

std::string change_json(const cart::change_view& view, std::uint64_t version, currency_code currency, bool several) {
  std::string body;
  json_writer json(body);
  json.begin_object();
  if (several) {
    json.key("items").begin_array();
    for (const auto& line : view.lines) write_line(json, line);
    json.end_array();
  } else if (!view.lines.empty()) {
    json.key("item");
    write_line(json, view.lines.front());
  }
  write_money(json, "subtotal", view.subtotal, currency);
  write_money(json, "total", view.subtotal, currency);
  json.member("item_count", view.item_count).member("line_count", view.line_count).member("version", version);
  json.end_object();
  return body;
}

}  // namespace omnicart::http
