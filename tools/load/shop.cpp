#include "tools/load/shop.hpp"

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <span>

#include "runtime/base/limits.hpp"
#include "runtime/base/text.hpp"
#include "tools/load/json_scan.hpp"
#include "tools/load/values.hpp"

namespace omnicart::load {
namespace {

using nlohmann::json;

// Distinct over runs even for equal seeds: a run's keys must not meet an earlier run's receipts. 16
// characters: a shorter key opens no session twice, as strangers might guess it.
std::string fresh_run_id() {
  std::random_device device;
  char text[24];
  std::snprintf(text, sizeof text, "%08x%08x", static_cast<unsigned>(device()),
                static_cast<unsigned>(device()));
  return text;
}

std::string refusal(const char* doing, const caller& by) {
  std::string text = std::string(doing) + ": ";
  text += by.answer().status == 0 ? "no answer (" + by.code() + ")"
                                  : std::to_string(by.answer().status) + " " + by.code();
  const auto detail = json_string(by.answer().body, "detail");
  return detail.empty() ? text : text + ": " + detail;
}

// A provider elsewhere may be out of this machine's reach for good.
constexpr std::int64_t provider_patience_us = 10'000'000;

// The import answers a line for each line it read and one with the sums: the first bad line, or
// nothing.
std::string import_failure(const std::string& answer) {
  std::size_t begin = 0;
  while (begin < answer.size()) {
    const auto end = std::min(answer.find('\n', begin), answer.size());
    const auto line = std::string_view(answer).substr(begin, end - begin);
    if (json_string(line, "status") == "error" || json_integer(line, "failed").value_or(0) > 0)
      return std::string(line);
    begin = end + 1;
  }
  return {};
}

std::string address_in(const std::string& country) {
  return R"({"name":"Ann Other","line1":"1 Market Street","city":"Anywhere",)"
         R"("postal_code":"AB1 2CD","country":)" +
         json_quoted(country) + "}";
}

}  // namespace

bool guest::read(const std::string& answer) {
  auto token = json_string(answer, "token");
  auto refresh = json_string(answer, "refresh_token");
  auto cart = json_string(answer, "cart_id");
  if (token.empty() || refresh.empty()) return false;
  token_ = std::move(token);
  refresh_token_ = std::move(refresh);
  if (!cart.empty()) cart_id_ = std::move(cart);  // a refresh names none
  return !cart_id_.empty();
}

task<bool> guest::renew(std::string stale) {
  if (token_ != stale) co_return true;
  const auto by = where_.new_caller();
  const std::string body = R"({"refresh_token":)" + json_quoted(refresh_token_) + "}";
  const request ask{.method = "POST", .path = "/api/users/refresh", .body = body};
  co_await by->call(where_.op("refresh session"), ask);
  co_return success(by->answer()) && read(by->answer().body);
}

void operator_key::read() {
  std::ifstream file(path_);
  if (!file || !(file >> token_)) throw cannot_go_on("no operator token in " + path_);
}

task<bool> operator_key::renew(std::string stale) {
  read();
  co_return token_ != stale;
}

task<bool> staff::renew(std::string stale) {
  // One request for all callers that found the token stale.
  while (renewing_) co_await sleep_for(where_.run_.io, std::chrono::milliseconds(5));
  if (token_ != stale) co_return true;
  renewing_ = true;
  const auto by = where_.new_operator_caller();
  const request ask{.method = "POST",
                    .path = "/tokens",
                    .body = R"({"role":"admin","ttl_s":3600})",
                    .as = &where_.operator_key_};
  bool renewed = false;
  try {
    co_await by->call(where_.op("issue staff token"), ask);
    auto token = json_string(by->answer().body, "token");
    renewed = success(by->answer()) && !token.empty();
    if (renewed) token_ = std::move(token);
  } catch (...) {
    renewing_ = false;
    throw;
  }
  renewing_ = false;
  co_return renewed;
}

shop::shop(run_state& run, watchdog& shop_dog, watchdog& operator_dog, shop_address where,
           std::uint64_t seed)
    : run_(run),
      shop_dog_(shop_dog),
      operator_dog_(operator_dog),
      where_(std::move(where)),
      next_seed_(seed),
      run_id_(fresh_run_id()),
      operator_key_(where_.token_file),
      staff_(*this) {
  if (where_.operator_port) operator_key_.read();
}

std::unique_ptr<caller> shop::new_caller() {
  return std::make_unique<caller>(run_, where_.nodes, shop_dog_, ++next_seed_);
}

std::unique_ptr<http_connection> shop::new_connection() {
  return std::make_unique<http_connection>(
      run_.io, where_.nodes[++next_seed_ % where_.nodes.size()], shop_dog_);
}

std::unique_ptr<caller> shop::new_operator_caller() {
  return std::make_unique<caller>(run_, std::span(&*where_.operator_port, 1), operator_dog_,
                                  ++next_seed_);
}

task<bool> shop::open_guest(caller& by, guest& who, std::string key,
                            std::optional<std::int64_t> intended_us) {
  const request ask{
      .method = "POST", .path = "/api/sessions", .body = "{}", .idempotency_key = key};
  co_await by.call(op("open session"), ask, intended_us);
  co_return success(by.answer()) && who.read(by.answer().body);
}

task<checkout_outcome> shop::check_out(caller& by, guest& who, order_form form, std::string key,
                                       std::optional<std::int64_t> intended_us) {
  std::string body = R"({"email":)" + json_quoted(form.email) +
                     R"(,"payment_method":{"type":"card","token":)" + json_quoted(form.card) +
                     R"(},"reference":)" + json_quoted(form.reference);
  if (!form.customer_reference.empty()) {
    body += R"(,"customer_reference":)" + json_quoted(form.customer_reference);
  }
  if (!form.country.empty()) body += R"(,"shipping_address":)" + address_in(form.country);
  body += '}';
  const request ask{
      .method = "POST", .path = "/api/orders", .body = body, .idempotency_key = key, .as = &who};
  co_await by.call(op("check out"), ask, intended_us);
  checkout_outcome out{.status = by.answer().status, .code = by.code(), .order = {}};
  if (!success(by.answer())) co_return out;
  out.order = parse_order(by.answer().body);
  // The engine answers "pending" when the provider is slow; the order ends by itself.
  const std::int64_t give_up_us = run_.watch.now_us() + run_.ride_through_us;
  while (out.order && out.order->status == "pending" && run_.watch.now_us() < give_up_us) {
    co_await sleep_for(run_.io, std::chrono::milliseconds(200));
    const std::string path = "/api/orders/" + percent_encoded(out.order->id);
    const request poll{.method = "GET", .path = path, .as = &who};
    co_await by.call(op("await order"), poll);
    if (success(by.answer())) out.order = parse_order(by.answer().body);
  }
  co_return out;
}

task<> shop::import_products(std::vector<new_product> products) {
  constexpr std::size_t at_once = 500;
  const auto by = new_caller();
  for (std::size_t begin = 0; begin < products.size(); begin += at_once) {
    const std::size_t end = std::min(products.size(), begin + at_once);
    std::string body;
    for (std::size_t i = begin; i < end; ++i) {
      const auto& each = products[i];
      body += R"({"id":)" + json_quoted(each.id) + R"(,"name":)" + json_quoted(each.name) +
              R"(,"price":{"amount":)" + std::to_string(each.price.amount_minor) +
              R"(,"currency":")" + std::string(each.price.currency.text()) + "\"}}\n";
    }
    const std::string key = run_id_ + "-import-" + std::to_string(begin);
    const request ask{.method = "POST",
                      .path = "/api/products/import",
                      .body = body,
                      .idempotency_key = key,
                      .as = admin(),
                      .content_type = "application/x-ndjson"};
    co_await by->call(op("import products"), ask);
    if (!success(by->answer())) throw cannot_go_on(refusal("importing products", *by));
    const auto failure = import_failure(by->answer().body);
    if (!failure.empty()) throw cannot_go_on("importing products: " + failure);
  }
}

task<> shop::set_stock(caller& by, std::string product, std::int64_t on_hand, std::string reason) {
  const std::string path = "/api/inventory/" + percent_encoded(product);
  const std::string body =
      R"({"on_hand":)" + std::to_string(on_hand) + R"(,"reason":)" + json_quoted(reason) + "}";
  const std::string key = run_id_ + "-stock-" + percent_encoded(product);
  const request ask{
      .method = "PUT", .path = path, .body = body, .idempotency_key = key, .as = admin()};
  co_await by.call(op("set stock"), ask);
  if (!success(by.answer())) throw cannot_go_on(refusal("setting stock", by));
}

task<stock_record> shop::read_stock(caller& by, std::string product) {
  const std::string path = "/api/inventory/" + percent_encoded(product);
  const request ask{.method = "GET", .path = path, .as = admin()};
  co_await by.call(op("read stock"), ask);
  const auto stock = parse_stock(by.answer().body);
  if (!success(by.answer()) || !stock) throw cannot_go_on(refusal("reading stock", by));
  co_return *stock;
}

task<std::string> shop::newest_order(caller& by) {
  const request ask{.method = "GET", .path = "/api/orders?limit=1", .as = admin()};
  co_await by.call(op("list orders"), ask);
  const auto page = parse_order_page(by.answer().body);
  if (!success(by.answer()) || !page) throw cannot_go_on(refusal("listing orders", by));
  co_return page->orders.empty() ? std::string() : page->orders.front().id;
}

task<std::vector<order_record>> shop::orders_since(const told& clients, std::string newest_before) {
  const auto by = new_caller();
  std::vector<order_record> all;
  std::string cursor;
  do {
    std::string path = "/api/orders?limit=" + std::to_string(limits::list_page_max);
    if (!cursor.empty()) path += "&cursor=" + percent_encoded(cursor);
    const request ask{.method = "GET", .path = path, .as = admin()};
    co_await by->call(op("list orders"), ask);
    auto page = parse_order_page(by->answer().body);
    if (!success(by->answer()) || !page) throw cannot_go_on(refusal("listing orders", *by));
    for (auto& order : page->orders) {
      if (order.id == newest_before) co_return all;
      if (clients.knows(order.reference)) order.items.clear();  // known from the clients
      all.push_back(std::move(order));
    }
    cursor = page->next_cursor;
  } while (!cursor.empty());
  co_return all;
}

task<std::optional<provider_sums>> shop::read_provider(currency_code currency) {
  if (!where_.operator_port) co_return std::nullopt;
  const auto by = new_operator_caller();
  const request ask{.method = "GET", .path = "/status", .as = &operator_key_};
  co_await by->call(op("operator status"), ask);
  const auto provider = parse_url(json_string(by->answer().body, "pay"));
  if (!success(by->answer()) || !provider) co_return std::nullopt;
  caller to_provider(run_, std::span(&*provider, 1), operator_dog_, ++next_seed_);
  to_provider.outlast(provider_patience_us);
  const request sums{.method = "GET", .path = "/ledger/summary"};
  co_await to_provider.call(op("provider ledger"), sums);
  if (!success(to_provider.answer())) co_return std::nullopt;
  co_return parse_provider_sums(to_provider.answer().body, currency);
}

task<std::vector<law>> shop::engine_laws() {
  const auto by = new_operator_caller();
  const request ask{.method = "GET", .path = "/laws?wait_s=30", .as = &operator_key_};
  co_await by->call(op("engine laws"), ask);
  const auto parsed = json::parse(by->answer().body, nullptr, false);
  const bool readable = success(by->answer()) && parsed.is_object() && parsed.contains("laws") &&
                        parsed["laws"].is_object();
  if (!readable) throw cannot_go_on(refusal("reading the engine's laws", *by));
  std::vector<law> laws;
  for (const auto& [name, holds] : parsed["laws"].items()) {
    law made{.name = "engine." + name, .holds = holds.is_boolean() && holds.get<bool>(), .why = {}};
    if (!made.holds && parsed.contains("detail")) made.why = parsed["detail"].dump().substr(0, 500);
    laws.push_back(std::move(made));
  }
  co_return laws;
}

task<std::vector<law>> shop::audit(const told& clients, read_back& facts, std::string newest_before,
                                   currency_code currency, std::size_t connections) {
  // First: this waits until no order is in flight.
  const auto engine = co_await engine_laws();
  facts.orders = co_await orders_since(clients, std::move(newest_before));
  std::vector<std::string> products;
  for (const auto& [product, stocked] : facts.stocked) products.push_back(product);
  co_await spread(*this, connections, products.size(), [&](caller& by, std::size_t i) -> task<> {
    auto stock = co_await read_stock(by, products[i]);
    facts.stock.emplace(products[i], stock);
  });
  facts.provider_after = co_await read_provider(currency);
  auto laws = check_laws(clients, facts);
  laws.insert(laws.end(), engine.begin(), engine.end());
  co_return laws;
}

task<> spread(shop& where, std::size_t connections, std::size_t count,
              std::function<task<>(caller&, std::size_t)> work) {
  std::size_t next = 0;
  const auto worker = [&](std::size_t) -> task<> {
    const auto by = where.new_caller();
    while (next < count && !where.run().cancelled) co_await work(*by, next++);
  };
  // An unfinished wait of a failed run must end soon, or the others would ride through for nothing.
  co_await gather(where.run().io, std::min(connections, count), worker,
                  [&] { where.run().cancelled = true; });
}

}  // namespace omnicart::load
