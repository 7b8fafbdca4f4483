#include "tools/load/offer_desk.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/base/text.hpp"
#include "tools/load/json_scan.hpp"
#include "tools/load/values.hpp"

namespace omnicart::load {
namespace {

using nlohmann::json;

constexpr std::size_t destinations_max = 300;
constexpr std::int64_t fixed_uses_max = 100;
constexpr std::int64_t percentage_uses_max = 1'000'000;
constexpr std::int64_t tidying_us = 5'000'000;

// A member that is a list; an empty one where there is none.
json list_in(const json& object, const char* name) {
  const auto at = object.is_object() ? object.find(name) : object.end();
  const bool there = at != object.end() && at->is_array();
  return there ? *at : json::array();
}

bool is_blank(const std::string& answer, const char* name) {
  return list_in(json::parse(answer, nullptr, false), name).empty();
}

std::string in_capitals(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// One that no zone names.
std::string country_from_elsewhere(const std::set<std::string>& named) {
  constexpr std::array<const char*, 5> candidates{"US", "JP", "BR", "ZA", "NZ"};
  for (const char* each : candidates) {
    if (!named.contains(each)) return each;
  }
  return {};
}

void add_zones(const json& shipping, std::vector<destination>& into) {
  std::map<std::string, std::vector<std::string>> methods;  // by zone
  for (const auto& each : list_in(shipping, "methods"))
    methods[text_of(each, "zone")].push_back(text_of(each, "id"));
  std::set<std::string> named;
  const auto zones = list_in(shipping, "zones");
  for (const auto& zone : zones) {
    for (const auto& country : list_in(zone, "countries")) {
      if (country.is_string()) named.insert(country.get<std::string>());
    }
  }
  for (const auto& zone : zones) {
    const auto at = methods.find(text_of(zone, "id"));
    if (at == methods.end()) continue;  // nothing goes there
    for (const auto& country : list_in(zone, "countries")) {
      if (!country.is_string() || into.size() == destinations_max) continue;
      auto name = country.get<std::string>();
      if (name == "*") name = country_from_elsewhere(named);
      if (!name.empty()) into.push_back({std::move(name), at->second});
    }
  }
}

}  // namespace

std::vector<destination> destinations_of(std::string_view shipping, std::string_view taxes) {
  std::vector<destination> all;
  add_zones(json::parse(shipping, nullptr, false), all);
  if (!all.empty()) return all;
  std::set<std::string> seen;
  for (const auto& rate : list_in(json::parse(taxes, nullptr, false), "rates")) {
    auto country = text_of(rate, "country");
    const bool fresh = country != "*" && !country.empty() && seen.insert(country).second;
    if (fresh && all.size() < destinations_max) all.push_back({std::move(country), {}});
  }
  if (all.empty()) all.push_back({"GB", {}});
  return all;
}

std::string offer_desk::amount_text(std::int64_t amount_minor) const {
  return R"({"amount":)" + std::to_string(amount_minor) + R"(,"currency":")" +
         std::string(floor_.currency().text()) + "\"}";
}

task<> offer_desk::open(caller& by) {
  if (where_.admin() != nullptr) {
    co_await put_terms(by);
    const std::string end = in_capitals(where_.run_id());
    percentage_ = "TENTH-" + end;
    co_await make_coupon(by, percentage_, R"("type":"percentage","rate_bps":1000)",
                         percentage_uses_max);
    fixed_ = "FIXED-" + end;
    const std::string off = amount_text(std::max<std::int64_t>(1, floor_.usual_price() / 5));
    co_await make_coupon(by, fixed_, R"("type":"fixed","amount":)" + off, fixed_uses_max);
    for (std::size_t i = 0; i < floor_.on.options.single_use_coupons; ++i) {
      const std::string code = "ONCE-" + end + "-" + std::to_string(i + 1);
      co_await make_coupon(by, code, R"("type":"fixed","amount":)" + off, 1);
      single_use_.push_back(code);
    }
    for (std::size_t i = 0; i < floor_.on.options.gift_cards; ++i) {
      const std::string code = "GIFT-" + end + "-" + std::to_string(i + 1);
      co_await make_gift_card(by, code);
      gift_cards_.push_back(code);
    }
  }
  const std::string shipping = co_await read(by, "read shipping methods", "/api/shipping-methods");
  const std::string taxes = co_await read(by, "read tax rates", "/api/tax-rates");
  destinations_ = destinations_of(shipping, taxes);
}

task<> offer_desk::make_coupon(caller& by, std::string code, std::string rule, std::int64_t limit) {
  const std::string body = R"({"code":)" + json_quoted(code) + "," + rule + R"(,"total_limit":)" +
                           std::to_string(limit) + "}";
  co_await change(by, "create coupon", "POST", "/api/coupons", body);
  floor_.book.coupon_limits[code] = limit;
}

// Worth a few usual purchases: it is spent by several orders, the last of which it pays in part.
task<> offer_desk::make_gift_card(caller& by, std::string code) {
  const std::int64_t value_minor = 7 * floor_.usual_price();
  const std::string body = R"({"code":)" + json_quoted(code) + R"(,"value":)" +
                           amount_text(value_minor) + R"(,"note":"omnicart-load"})";
  co_await change(by, "issue gift card", "POST", "/api/gift-cards", body);
  floor_.book.gift_values[code] = value_minor;
}

// Of a shop that has its own, nothing is touched.
task<> offer_desk::put_terms(caller& by) {
  if (floor_.on.options.leave_terms) co_return;
  const std::string taxes = co_await read(by, "read tax rates", "/api/tax-rates");
  const std::string shipping = co_await read(by, "read shipping methods", "/api/shipping-methods");
  if (is_blank(taxes, "rates")) {
    const std::string body = R"({"prices_include_tax":false,"home_country":"GB","rates":[)"
                             R"({"country":"GB","rate_bps":2000,"name":"VAT 20 %"},)"
                             R"({"country":"FR","rate_bps":550,"name":"TVA 5,5 %"},)"
                             R"({"country":"*","rate_bps":0,"name":"no tax"}]})";
    terms_version_ = co_await change(by, "set tax rates", "PUT", "/api/tax-rates", body);
    put_taxes_ = true;
  }
  if (is_blank(shipping, "methods")) {
    const auto band = [&](std::int64_t weight_g, std::int64_t price_minor) {
      return R"({"max_weight_g":)" + std::to_string(weight_g) + R"(,"prices":[)" +
             amount_text(price_minor) + "]}";
    };
    const std::string body =
        R"({"zones":[{"id":"home","countries":["GB"]},{"id":"near","countries":["FR","DE"]},)"
        R"({"id":"far","countries":["*"]}],"methods":[)"
        R"({"zone":"home","id":"post","name":"Post","bands":[)" +
        band(2'000, 350) + "," + band(1'000'000'000, 900) + R"(],"free_from":[)" +
        amount_text(20 * floor_.usual_price()) + R"(]},)" +
        R"({"zone":"home","id":"van","name":"Courier","bands":[)" + band(1'000'000'000, 1'200) +
        R"(]},{"zone":"near","id":"road","name":"Parcel","bands":[)" + band(1'000'000'000, 1'499) +
        R"(]},{"zone":"far","id":"air","name":"Air mail","bands":[)" + band(1'000'000'000, 2'999) +
        "]}]}";
    terms_version_ =
        co_await change(by, "set shipping methods", "PUT", "/api/shipping-methods", body);
    put_shipping_ = true;
  }
}

task<std::string> offer_desk::read(caller& by, const char* op, std::string path) {
  const request ask{.method = "GET", .path = path, .as = where_.admin()};
  co_await by.call(where_.run().record.named(op), ask);
  // A shop without the call charges for nothing.
  if (by.answer().status == 404 && where_.admin() == nullptr) co_return "{}";
  if (!success(by.answer())) throw cannot_go_on(std::string(op) + ": " + by.code());
  co_return by.answer().body;
}

task<std::int64_t> offer_desk::change(caller& by, const char* op, const char* method,
                                      std::string path, std::string body) {
  // What is asked may be asked again, after a lost answer: the path and what it says make the key.
  const std::string key = where_.run_id() + "-" + percent_encoded(path) + "-" +
                          std::to_string(std::hash<std::string>{}(body));
  const request ask{
      .method = method, .path = path, .body = body, .idempotency_key = key, .as = where_.admin()};
  co_await by.call(where_.run().record.named(op), ask);
  if (!success(by.answer())) {
    throw cannot_go_on(std::string(op) + ": " + std::to_string(by.answer().status) + " " +
                       by.code() + " " + json_string(by.answer().body, "detail"));
  }
  co_return json_integer(by.answer().body, "version").value_or(0);
}

task<> offer_desk::read_back_into(caller& by, read_back& facts) {
  for (const auto& [code, limit] : floor_.book.coupon_limits) {
    const std::string body = co_await read(by, "read coupon", "/api/coupons/" + code);
    if (const auto record = parse_coupon(body)) facts.coupons[code] = *record;
  }
  for (const auto& [code, value] : floor_.book.gift_values) {
    const std::string body = co_await read(by, "read gift card", "/api/gift-cards/" + code);
    if (const auto record = parse_gift_card(body)) facts.gift_cards[code] = *record;
  }
}

task<> offer_desk::disable(caller& by, std::string kind, std::string code) {
  const std::string path = "/api/" + kind + "/" + code + "/status";
  co_await change(by, "disable offer", "PUT", path, R"({"status":"disabled"})");
}

task<> offer_desk::take_terms_back(caller& by) {
  const std::string now = co_await read(by, "read tax rates", "/api/tax-rates");
  if (json_integer(now, "version") != terms_version_)
    throw cannot_go_on("tax and shipping were changed meanwhile");
  if (put_taxes_) co_await change(by, "set tax rates", "PUT", "/api/tax-rates", "{}");
  put_taxes_ = false;
  if (put_shipping_)
    co_await change(by, "set shipping methods", "PUT", "/api/shipping-methods", "{}");
  put_shipping_ = false;
}

task<> offer_desk::close(std::vector<std::string>& notes) {
  if (where_.admin() == nullptr) co_return;
  const auto by = where_.new_caller();
  by->outlast(tidying_us);
  try {
    // What hurts others first: these terms are everybody's.
    if (put_taxes_ || put_shipping_) co_await take_terms_back(*by);
  } catch (const cannot_go_on& why) {
    notes.push_back(std::string("tax rates and shipping methods were left as they are: ") +
                    why.what());
  }
  try {
    for (const auto& [code, limit] : floor_.book.coupon_limits)
      co_await disable(*by, "coupons", code);
    for (const auto& [code, value] : floor_.book.gift_values)
      co_await disable(*by, "gift-cards", code);
  } catch (const cannot_go_on& why) {
    notes.push_back(std::string("coupons and gift cards of this run were left valid: ") +
                    why.what());
  }
}

// Most take what everybody gets; the rest race for what there is once.
std::string offer_desk::draw_coupon() {
  if (floor_.luck.percent(60)) return percentage_;
  if (single_use_.empty() || floor_.luck.percent(40)) return fixed_;
  return single_use_[floor_.luck.below(single_use_.size())];
}

std::string offer_desk::draw_gift_card() {
  return gift_cards_.empty() ? std::string() : gift_cards_[floor_.luck.below(gift_cards_.size())];
}

const destination& offer_desk::draw_destination() {
  return destinations_[floor_.luck.below(destinations_.size())];
}

}  // namespace omnicart::load
