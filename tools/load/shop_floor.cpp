#include "tools/load/shop_floor.hpp"

#include "runtime/base/text.hpp"
#include "tools/load/values.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace omnicart::load {
namespace {

using nlohmann::json;

}  // namespace

std::optional<shelf_item> shelf_item_of(const json& object) {
  if (!object.is_object() || !object.contains("price") || !object["price"].is_object())
    return std::nullopt;
  const auto& price = object["price"];
  const auto currency = currency_code::parse(text_of(price, "currency"));
  if (!currency || !price.contains("amount") || !price["amount"].is_number_integer())
    return std::nullopt;
  const std::string name = text_of(object, "name");
  auto id = object.contains("id") ? text_of(object, "id") : text_of(object, "product_id");
  if (id.empty()) return std::nullopt;
  return shelf_item{.id = std::move(id),
                    .word = name.substr(0, name.find(' ')),
                    .category = text_of(object, "category"),
                    .brand = text_of(object, "brand"),
                    .price = {price["amount"].get<std::int64_t>(), *currency}};
}

std::int64_t visit::units() const {
  std::int64_t sum = 0;
  for (const auto& [product, quantity] : wanted) sum += quantity;
  return sum;
}

bool shop_floor::time_is_up() const {
  return on.interrupted || where.run().cancelled || where.run().watch.now_us() >= end_us;
}

std::int64_t shop_floor::usual_price() const {
  std::int64_t sum_minor = 0;
  for (const auto& item : shelf) sum_minor += item.price.amount_minor / 16;  // 10,000 fit
  return std::max<std::int64_t>(1, sum_minor / static_cast<std::int64_t>(shelf.size()) * 16);
}

task<> shop_floor::pause(std::int64_t mean_ms) {
  if (mean_ms <= 0) co_return;
  const auto span_ms = luck.exponential(mean_ms);
  const std::int64_t left_us = end_us - where.run().watch.now_us();
  const auto span =
      std::chrono::microseconds(std::max<std::int64_t>(0, std::min(span_ms * 1000, left_us)));
  co_await sleep_for(where.run().io, span);
}

task<> shop_floor::think() { co_await pause(on.options.think_ms); }

task<bool> shop_floor::get(visit& here, const char* op, std::string path) {
  co_await think();
  const request ask{.method = "GET", .path = path, .as = &here.who};
  co_await here.by.call(where.run().record.named(op), ask);
  co_return !time_is_up();
}

task<bool> shop_floor::wish(visit& here, const char* op, const char* method, std::string path,
                            std::string body) {
  co_await think();
  const std::string key = here.next_key();
  const request ask{
      .method = method, .path = path, .body = body, .idempotency_key = key, .as = &here.who};
  co_await here.by.call(where.run().record.named(op), ask);
  co_return success(here.by.answer());
}

task<bool> shop_floor::write(visit& here, const char* op, const char* method, std::string path,
                             std::string body) {
  const bool done = co_await wish(here, op, method, std::move(path), std::move(body));
  if (!done) here.cart_sure = false;
  co_return done;
}

task<> shop_floor::read_shelf(caller& by) {
  constexpr std::size_t most = 10'000;
  const auto op = where.run().record.named("read catalogue");
  std::string cursor;
  do {
    std::string path = "/api/products?limit=100";
    if (!cursor.empty()) path += "&cursor=" + percent_encoded(cursor);
    const request ask{.method = "GET", .path = path};
    co_await by.call(op, ask);
    const auto page = json::parse(by.answer().body, nullptr, false);
    if (!success(by.answer()) || !page.is_object() || !page.contains("items")) {
      throw cannot_go_on("listing products: " + by.code());
    }
    for (const auto& each : page["items"]) {
      auto item = shelf_item_of(each);
      // One cart holds one currency; so does a visitor's purse.
      if (item && (shelf.empty() || item->price.currency == shelf.front().price.currency)) {
        shelf.push_back(std::move(*item));
      }
    }
    cursor = text_of(page, "next_cursor");
  } while (!cursor.empty() && shelf.size() < most);
  if (shelf.empty()) throw cannot_go_on("the shop has no products: import some first");
  popularity.emplace(shelf.size(), on.options.zipf_exponent);
}

}  // namespace omnicart::load
