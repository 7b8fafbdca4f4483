#include "tools/load/replay_returns.hpp"

#include <nlohmann/json.hpp>

#include "runtime/base/text.hpp"
#include "tools/load/json_scan.hpp"
#include "tools/load/values.hpp"

namespace omnicart::load {
namespace {

using nlohmann::json;

std::int64_t amount_in(const json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_object()) return 0;
  return at->value("amount", std::int64_t{0});
}

// What a return's answer says was given back for it.
std::int64_t refund_of(const std::string& answer) {
  const auto parsed = json::parse(answer, nullptr, false);
  if (!parsed.is_object()) return 0;
  const auto refund = parsed.find("refund");
  return refund != parsed.end() && refund->is_object() ? amount_in(*refund, "amount") : 0;
}

std::string money_text(std::int64_t pence) { return to_decimal({pence, sterling}) + " GBP"; }

}  // namespace

task<> returns_desk::run(std::size_t connections) {
  const auto& customers = book_.returns.by_customer();
  const auto one = [&](caller& by, std::size_t i) { return one_customer(by, customers[i]); };
  co_await spread(on_.where, connections, customers.size(), one);
}

task<> returns_desk::one_customer(caller& by, const std::vector<matched_return>& rows) {
  for (const auto& row : rows) {
    if (on_.interrupted) co_return;
    if (co_await one_row(by, row)) ++rows_done_;
  }
}

task<bool> returns_desk::one_row(caller& by, const matched_return& row) {
  std::map<std::uint32_t, std::vector<returned_units>> by_invoice;
  for (const auto& units : row.from) by_invoice[units.invoice].push_back(units);
  bool whole = true;
  for (const auto& [invoice, units] : by_invoice) {
    const bool done = co_await one_part(by, row, invoice, units);
    whole = whole && done;
  }
  co_return whole;
}

task<bool> returns_desk::one_part(caller& by, const matched_return& row, std::uint32_t invoice,
                                  const std::vector<returned_units>& units) {
  const line_ids* lines = co_await shipped_lines(by, invoice);
  if (lines == nullptr) co_return false;
  std::map<std::int64_t, std::int64_t> counts;  // by line: an order gathers equal rows in one
  for (const auto& each : units) {
    const auto line = lines->find({book_.products[each.product].code, each.unit_pence});
    if (line == lines->end()) {
      clients_.contradicted("order " + order_of_[invoice] + " has no line of " + book_.products[each.product].code);
      co_return false;
    }
    counts[line->second] += each.quantity;
  }
  json wish{{"received", true}, {"restock", true}, {"refund", true}, {"reason", row.number}};
  for (const auto& [line, quantity] : counts)
    wish["lines"].push_back({{"line_id", line}, {"quantity", quantity}});
  const std::string path = "/api/orders/" + percent_encoded(order_of_[invoice]) + "/returns";
  const std::string body = wish.dump();
  const std::string key = on_.where.run_id() + "-return-" + std::to_string(row.row) + '-' + std::to_string(invoice);
  const request ask{
      .method = "POST", .path = path, .body = body, .idempotency_key = key, .as = on_.where.admin()};
  co_await by.call(return_, ask);
  if (!success(by.answer())) {
    refused("return", by);
    co_return false;
  }
  clients_.refunded_minor += refund_of(by.answer().body);
  for (const auto& each : units) {
    clients_.gave_back(book_.products[each.product].code, each.quantity);
    units_ += each.quantity;
  }
  co_return true;
}

task<const returns_desk::line_ids*> returns_desk::shipped_lines(caller& by, std::uint32_t invoice) {
  const auto known = shipped_.find(invoice);
  if (known != shipped_.end()) co_return &known->second;
  const std::string& id = order_of_[invoice];
  if (id.empty()) {
    ++refusals_["order_not_sold"];
    co_return nullptr;
  }
  const std::string path = "/api/orders/" + percent_encoded(id);
  const std::string to_ship = path + "/shipments";
  const std::string key = on_.where.run_id() + "-ship-" + std::to_string(invoice);
  const request ship{
      .method = "POST", .path = to_ship, .body = "{}", .idempotency_key = key, .as = on_.where.admin()};
  co_await by.call(ship_, ship);
  if (!success(by.answer())) {
    refused("ship", by);
    co_return nullptr;
  }
  clients_.shipped(id, json_string(by.answer().body, "order_status"));
  const request read{.method = "GET", .path = path, .as = on_.where.admin()};
  co_await by.call(read_, read);
  const auto order = json::parse(by.answer().body, nullptr, false);
  if (!success(by.answer()) || !order.is_object() || !order.contains("items")) {
    refused("read", by);
    co_return nullptr;
  }
  line_ids lines;
  for (const auto& item : order["items"]) {
    lines[{item.value("product_id", ""), amount_in(item, "unit_price")}] = item.value("line_id", std::int64_t{0});
  }
  co_return &shipped_.emplace(invoice, std::move(lines)).first->second;
}

void returns_desk::refused(const char* what, const caller& by) {
  if (by.gave_up()) throw cannot_go_on(std::string("the shop is gone: ") + what + ": " + by.code());
  ++refusals_[std::string(what) + ": " + by.code()];
}

void returns_desk::summarise(scenario_outcome& out) const {
  const auto& plan = book_.returns;
  out.answers["returns_matched"] = rows_done_;
  out.answers["returns_unmatched"] = plan.unmatched_rows;
  out.answers["returned_units"] = units_;
  out.answers["returns_claimed_minor"] = plan.claimed_pence;
  out.answers["returns_unmatched_minor"] = plan.unmatched_pence;
  out.answers["refunded_minor"] = clients_.refunded_minor;
  for (const auto& [code, times] : refusals_) out.answers[code] = times;
  out.notes.push_back(
      "returns: " + std::to_string(rows_done_) + " rows matched claiming " + money_text(plan.claimed_pence) +
      ", refunded " + money_text(clients_.refunded_minor) + "; " + std::to_string(plan.unmatched_rows) +
      " unmatched claiming " + money_text(plan.unmatched_pence) + "; together " +
      money_text(plan.claimed_pence + plan.unmatched_pence));
  law whole{.name = "file_returned_whole", .holds = true, .why = {}};
  whole.holds = on_.interrupted || (rows_done_ == plan.matched_rows && units_ == plan.matched_units &&
                                    clients_.refunded_minor == plan.refund_pence);
  if (!whole.holds) {
    whole.why = "the file has " + std::to_string(plan.matched_rows) + " rows that match, " +
                std::to_string(plan.matched_units) + " units, " + money_text(plan.refund_pence);
  }
  out.laws.insert(out.laws.begin(), whole);
}

}  // namespace omnicart::load
