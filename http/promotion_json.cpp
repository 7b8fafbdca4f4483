#include "http/promotion_json.hpp"

#include <limits>

#include "http/price_list.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::http {
namespace {

constexpr std::int64_t count_max = 1'000'000'000;

pricing::discount_rule read_rule(object_reader& read, currency_code currency) {
  pricing::discount_rule rule;
  rule.type = static_cast<pricing::discount_type>(
      read.required_word("type", {"percentage", "fixed", "free_shipping", "buy_x_get_y"}));
  const auto rate = read.optional_int("rate_bps", 1, pricing::whole_bps);
  const bool units = rule.type == pricing::discount_type::buy_x_get_y;
  if (rule.type == pricing::discount_type::percentage && !rate)
    read.report("rate_bps", "missing", "1 to 10,000");
  rule.rate_bps = rate.value_or(units ? pricing::whole_bps : 0);
  rule.amounts = read_price_list(read, "amounts");
  if (const auto one = read.optional_money("amount", currency, {.min_minor = 1}))
    rule.amounts.push_back(*one);
  rule.buy = read.optional_int("buy", 1, 1'000).value_or(0);
  rule.get = read.optional_int("get", 1, 1'000).value_or(0);
  rule.category = read.optional_string("category", 500).value_or("");
  for (auto& id : read.string_array("products", 500, limits::product_id_bytes_max)) {
    rule.products.emplace_back(std::move(id));
  }
  rule.minimums = read_price_list(read, "minimums");
  if (const auto one = read.optional_money("minimum", currency)) rule.minimums.push_back(*one);
  rule.exclusive = read.optional_bool("exclusive").value_or(false);
  return rule;
}

std::optional<std::uint64_t> read_limit(object_reader& read, std::string_view name) {
  const auto limit = read.optional_int(name, 1, count_max);
  return limit ? std::optional<std::uint64_t>(static_cast<std::uint64_t>(*limit)) : std::nullopt;
}

void write_rule(json_writer& json, const pricing::discount_rule& rule) {
  json.member("type", pricing::to_string(rule.type));
  if (rule.rate_bps > 0) json.member("rate_bps", rule.rate_bps);
  if (!rule.amounts.empty()) write_amounts(json, "amounts", rule.amounts);
  if (rule.buy > 0) json.member("buy", rule.buy).member("get", rule.get);
  if (!rule.category.empty()) json.member("category", rule.category);
  if (!rule.products.empty()) {
    json.key("products").begin_array();
    for (const auto& id : rule.products) json.value(id.str());
    json.end_array();
  }
  if (!rule.minimums.empty()) write_amounts(json, "minimums", rule.minimums);
  json.member("exclusive", rule.exclusive);
}

void write_time(json_writer& json, std::string_view name, const std::optional<timestamp_ms>& time) {
  if (time) json.member(name, to_rfc3339(*time));
}

}  // namespace

void write_amounts(json_writer& json, std::string_view name, const std::vector<money>& amounts) {
  json.key(name).begin_array();
  for (const auto& each : amounts) json.money_value(each.amount_minor, each.currency.text());
  json.end_array();
}

std::optional<timestamp_ms> read_time(object_reader& read, std::string_view name) {
  const auto text = read.optional_string(name, 40);
  if (!text) return std::nullopt;
  const auto time = parse_rfc3339(*text);
  if (!time) read.report(name, "malformed", "a time such as 2030-01-31T12:00:00Z");
  return time ? std::optional(*time) : std::nullopt;
}

coupon::definition read_definition(object_reader& read, currency_code currency) {
  coupon::definition content;
  content.title = read.optional_string("title", 200).value_or("");
  content.rule = read_rule(read, currency);
  content.valid_from = read_time(read, "valid_from");
  content.valid_until = read_time(read, "valid_until");
  content.total_limit = read_limit(read, "total_limit");
  content.customer_limit = read_limit(read, "customer_limit");
  return content;
}

std::string coupon_json(const std::string& code, const coupon::coupon_view& view,
                        std::uint64_t version) {
  const coupon::definition& about = view.content;
  std::string body;
  json_writer json(body);
  json.begin_object().member("code", code);
  if (!about.title.empty()) json.member("title", about.title);
  write_rule(json, about.rule);
  write_time(json, "valid_from", about.valid_from);
  write_time(json, "valid_until", about.valid_until);
  if (about.total_limit) json.member("total_limit", *about.total_limit);
  if (about.customer_limit) json.member("customer_limit", *about.customer_limit);
  json.member("status", view.enabled ? "enabled" : "disabled")
      .member("used", view.redeemed - view.given_back)
      .member("held", view.held)
      .member("created_at", to_rfc3339(view.created_at))
      .member("version", version)
      .end_object();
  return body;
}

std::string gift_card_json(const std::string& code, const gift_card::card_view& view,
                           std::uint64_t version) {
  const std::string_view currency = view.issued.currency.text();
  std::string body;
  json_writer json(body);
  json.begin_object().member("code", code);
  json.key("value").money_value(view.issued.amount_minor, currency);
  json.key("balance").money_value(view.balance_minor, currency);
  json.key("held").money_value(view.held_minor, currency);
  json.key("available").money_value(view.available_minor(), currency);
  json.key("spent").money_value(view.spent_minor - view.returned_minor, currency);
  write_time(json, "expires_at", view.expires_at);
  if (!view.note.empty()) json.member("note", view.note);
  json.member("status", view.enabled ? "enabled" : "disabled")
      .member("created_at", to_rfc3339(view.created_at))
      .member("version", version)
      .end_object();
  return body;
}

}  // namespace omnicart::http
