#include "tools/load/return_counter.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/text.hpp"
#include "tools/load/json_scan.hpp"
#include "tools/load/order_prices.hpp"
#include "tools/load/values.hpp"

namespace omnicart::load {
namespace {

using nlohmann::json;

// A line of the order, by its place.
struct bought_line {
  std::int64_t line_id = 0;
  std::int64_t quantity = 0;
  std::string product;
};

std::vector<bought_line> lines_of(const std::string& order_json) {
  std::vector<bought_line> lines;
  const auto order = json::parse(order_json, nullptr, false);
  if (!order.is_object() || !order.contains("items") || !order["items"].is_array()) return lines;
  for (const auto& item : order["items"]) {
    if (!item.is_object()) continue;
    const auto id = item.find("line_id"), quantity = item.find("quantity"),
               product = item.find("product_id");
    const bool whole = id != item.end() && id->is_number_integer() && quantity != item.end() &&
                       quantity->is_number_integer() && product != item.end() &&
                       product->is_string();
    if (whole)
      lines.push_back(
          {id->get<std::int64_t>(), quantity->get<std::int64_t>(), product->get<std::string>()});
  }
  return lines;
}

// What the answer to a return says is given back for it: by the provider, and to gift cards.
struct told_refund {
  std::int64_t provider_minor = 0;
  std::int64_t gift_minor = 0;
};
told_refund refund_in(const std::string& answer) {
  const auto parsed = json::parse(answer, nullptr, false);
  const auto refund = parsed.is_object() ? parsed.find("refund") : parsed.end();
  if (refund == parsed.end()) return {};
  const std::int64_t gift_minor = amount_in(*refund, "gift_card_total");
  return {amount_in(*refund, "amount") - gift_minor, gift_minor};
}

// One call about the order, with its own key. True when it was done.
task<bool> say(shop_floor& floor, visit& here, credential* as, const char* op, const char* method,
               std::string path, std::string body) {
  co_await floor.think();
  const std::string key = here.next_key();
  const request ask{.method = method, .path = path, .body = body, .idempotency_key = key, .as = as};
  co_await here.by.call(floor.where.run().record.named(op), ask);
  if (here.by.gave_up())
    throw cannot_go_on(std::string("the shop is gone: ") + op + ": " + here.by.code());
  if (success(here.by.answer())) co_return true;
  ++floor.counts[std::string(op) + ": " + here.by.code()];
  co_return false;
}

}  // namespace

task<> return_counter::send_back(shop_floor& floor, visit& here, std::string order_json) {
  credential* const staff = floor.where.admin();
  const auto lines = lines_of(order_json);
  const std::string id = json_string(order_json, "order_id");
  if (staff == nullptr || lines.empty() || id.empty()) co_return;
  const std::string path = "/api/orders/" + percent_encoded(id);
  const auto& line = lines[floor.luck.below(lines.size())];
  const auto units =
      static_cast<std::int64_t>(1 + floor.luck.below(static_cast<std::size_t>(line.quantity)));

  const std::string shipments = path + "/shipments";
  if (!co_await say(floor, here, staff, "ship", "POST", shipments, "{}")) co_return;
  floor.clients.shipped(id, json_string(here.by.answer().body, "order_status"));

  const std::string returns = path + "/returns";
  const std::string wish = R"({"lines":[{"line_id":)" + std::to_string(line.line_id) +
                           R"(,"quantity":)" + std::to_string(units) +
                           R"(}],"reason":"it does not fit"})";
  if (!co_await say(floor, here, &here.who, "ask return", "POST", returns, wish)) co_return;
  const auto number = json_integer(here.by.answer().body, "number");
  if (!number) {
    floor.clients.contradicted("order " + id + ": a return without a number");
    co_return;
  }

  const std::string status = returns + "/" + std::to_string(*number) + "/status";
  const std::string received = R"({"status":"received","restock":true,"refund":true})";
  if (!co_await say(floor, here, staff, "receive return", "PUT", status, received)) co_return;
  const told_refund refund = refund_in(here.by.answer().body);
  floor.clients.refunded_minor += refund.provider_minor;
  floor.clients.gift_refunded_minor += refund.gift_minor;
  floor.clients.gave_back(line.product, units);
  ++returns_;
  units_ += units;
}

void return_counter::summarise(scenario_outcome& out) const {
  out.answers["returns"] = returns_;
  out.answers["returned_units"] = units_;
}

}  // namespace omnicart::load
