#include "http/cart_json.hpp"

#include <unordered_map>

#include "http/price_json.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::http {
namespace {

// `at` is the line's place among the prices.
void write_line(json_writer& json, const cart::line_view& line, const pricing::breakdown* prices = nullptr,
                std::size_t at = 0) {
  json.begin_object()
      .member("line_id", line.line_id)
      .member("product_id", line.product.str())
      .member("name", line.name)
      .member("quantity", line.quantity);
  json.key("unit_price").money_value(line.unit_price.amount_minor, line.unit_price.currency.text());
  json.key("line_total").money_value(line.line_total.amount_minor, line.line_total.currency.text());
  if (prices) write_line_price(json, *prices, at);
  json.end_object();
}

// Of an empty cart too, which has no currency yet: the shop's then. What it comes to but for `unpriced`, which says why
// only its lines are summed.
void write_sums(json_writer& json, money subtotal, currency_code currency, std::string_view unpriced = {}) {
  const currency_code own = subtotal.currency == currency_code{} ? currency : subtotal.currency;
  write_money(json, "subtotal", subtotal, own);
  if (!unpriced.empty()) {
    json.member("unpriced", unpriced);
    return;
  }
  for (const char* none : {"discount_total", "shipping_total", "tax_total"}) write_money(json, none, {0, own}, own);
  write_money(json, "total", subtotal, own);
}

void write_destination(json_writer& json, const cart::wishes& with) {
  if (with.country.empty() && with.method.empty()) return;
  json.key("ship_to").begin_object();
  if (!with.country.empty()) json.member("country", with.country);
  if (!with.method.empty()) json.member("method", with.method);
  json.end_object();
}

void write_wishes(json_writer& json, const cart::cart_view& view, const cart_quote& quote) {
  const auto& prices = quote.prices;
  write_codes(json, quote.coupons, quote.gifts, prices ? money{prices->total_minor, prices->currency} : money{});
  write_refused_codes(json, quote.refused);
  write_destination(json, view.with);
}

void write_entered(json_writer& json, std::string_view name, const std::vector<std::string>& codes) {
  if (codes.empty()) return;
  json.key(name).begin_array();
  for (const auto& code : codes) json.value(code);
  json.end_array();
}

void write_totals_of(json_writer& json, const cart::cart_view& view, currency_code currency, const cart_quote* quote) {
  if (quote && quote->prices) {
    write_totals(json, *quote->prices);
  } else {
    write_sums(json, view.subtotal, currency);
  }
  if (quote) write_wishes(json, view, *quote);
}

template <class Write>
void write_changed(json_writer& json, const std::vector<cart::line_view>& lines, how_many asked, Write write) {
  if (asked == how_many::several) {
    json.key("items").begin_array();
    for (const auto& line : lines) write(line);
    json.end_array();
  } else if (!lines.empty()) {
    json.key("item");
    write(lines.front());
  }
}

void write_counts(json_writer& json, std::int64_t items, std::size_t lines, std::uint64_t version) {
  json.member("item_count", items).member("line_count", lines).member("version", version);
}

// `write_sum` writes what it comes to.
template <class Write>
std::string whole_cart(const std::string& id, const cart::cart_view& view, std::uint64_t version,
                       const pricing::breakdown* prices, Write write_sum) {
  std::string body;
  body.reserve(256 + 200 * view.lines.size());
  json_writer json(body);
  json.begin_object().member("cart_id", id).member("version", version);
  if (view.sealed_by) json.member("sealed_by", view.sealed_by->str());
  json.key("items").begin_array();
  for (std::size_t i = 0; i < view.lines.size(); ++i) write_line(json, view.lines[i], prices, i);
  json.end_array().member("item_count", view.item_count);
  write_sum(json);
  if (version == 0) {
    json.key("updated_at").null();
  } else {
    json.member("updated_at", to_rfc3339(view.updated_at));
  }
  json.end_object();
  return body;
}

std::string change_of_lines(const cart::change_view& view, std::uint64_t version, currency_code currency, how_many asked,
                            std::string_view unpriced) {
  std::string body;
  json_writer json(body);
  json.begin_object();
  write_changed(json, view.lines, asked, [&](const auto& line) { write_line(json, line); });
  write_sums(json, view.subtotal, currency, unpriced);
  write_counts(json, view.item_count, view.line_count, version);
  json.end_object();
  return body;
}

}  // namespace

void write_money(json_writer& json, std::string_view name, money amount, currency_code currency) {
  const bool none = amount.currency == currency_code{};
  json.key(name).money_value(amount.amount_minor, (none ? currency : amount.currency).text());
}

std::string cart_json(const std::string& id, const cart::cart_view& view, std::uint64_t version, currency_code currency,
                      const cart_quote* quote) {
  return whole_cart(id, view, version, quote && quote->prices ? &*quote->prices : nullptr,
                    [&](json_writer& json) { write_totals_of(json, view, currency, quote); });
}

std::string exported_cart_json(const std::string& id, const cart::cart_view& view, std::uint64_t version,
                               currency_code currency) {
  return whole_cart(id, view, version, nullptr, [&](json_writer& json) {
    write_money(json, "subtotal", view.subtotal, currency);
    write_entered(json, "coupons", view.with.coupons);
    write_entered(json, "gift_cards", view.with.gift_cards);
    write_destination(json, view.with);
  });
}

std::string unpriced_cart_json(const std::string& id, const cart::cart_view& view, std::uint64_t version,
                               currency_code currency, std::string_view why) {
  return whole_cart(id, view, version, nullptr,
                    [&](json_writer& json) { write_sums(json, view.subtotal, currency, why); });
}

void write_left_behind(json_writer& json, const cart::left_behind& left) {
  if (left == cart::left_behind{}) return;
  json.key("not_carried_over").begin_object().key("items").begin_array();
  for (const auto& line : left.lines) {
    json.begin_object().member("product_id", line.product.str()).member("name", line.name).member("quantity", line.quantity);
    json.key("unit_price").money_value(line.unit_price.amount_minor, line.unit_price.currency.text());
    json.member("reason", cart::to_string(line.why)).end_object();
  }
  json.end_array().member("line_count", left.line_count).key("codes").begin_array();
  for (const auto& each : left.codes) write_refused_code(json, each.kind, each.code, cart::to_string(each.why));
  json.end_array().end_object();
}

std::string change_json(const cart::change_view& view, std::uint64_t version, currency_code currency, how_many asked) {
  return change_of_lines(view, version, currency, asked, {});
}

std::string unpriced_change_json(const cart::change_view& view, std::uint64_t version, currency_code currency,
                                 how_many asked, std::string_view why) {
  return change_of_lines(view, version, currency, asked, why);
}

std::string change_json(const cart::change_view& changed, const cart::cart_view& now, std::uint64_t version,
                        currency_code currency, const cart_quote& quote, how_many asked) {
  std::unordered_map<std::uint32_t, std::size_t> places;
  for (std::size_t i = 0; i < now.lines.size(); ++i) places.emplace(now.lines[i].line_id, i);
  const pricing::breakdown* prices = quote.prices ? &*quote.prices : nullptr;
  std::string body;
  json_writer json(body);
  json.begin_object();
  write_changed(json, changed.lines, asked, [&](cart::line_view line) {
    const auto found = places.find(line.line_id);
    if (found == places.end()) {
      line.quantity = line.line_total.amount_minor = 0;
      return write_line(json, line);
    }
    write_line(json, now.lines[found->second], prices, found->second);
  });
  write_totals_of(json, now, currency, &quote);
  write_counts(json, now.item_count, now.lines.size(), version);
  json.end_object();
  return body;
}

}  // namespace omnicart::http
