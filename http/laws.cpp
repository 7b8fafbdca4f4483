#include "http/laws.hpp"

#include <algorithm>
#include <set>
#include <thread>

#include "http/blocking_ask.hpp"
#include "http/server/json_writer.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t findings_max = 5;
constexpr duration_ms poll_interval{100};

constexpr const char* law_names[] = {
    "no_order_in_doubt",        "no_oversell",   "stock_balance",         "stock_matches_orders", "no_stray_claims",
    "no_hold_outlives_its_end", "orders_add_up", "one_capture_per_order", "ledgers_agree",        "coupons_match_orders",
    "gift_cards_match_orders"};

bool stands(const order::order_view& view) {
  using s = order::order_status;
  switch (view.status) {
    case s::authorised:
    case s::paid:
    case s::processing:
    case s::shipped:
    case s::delivered: return true;
    case s::pending: return view.method == payment::method_type::invoice && !view.owes && !view.lines.empty();
    case s::rejected:
    case s::declined:
    case s::cancelled: return false;
  }
  return false;
}

// Authorised, and captured later: with the first shipment, or never.
bool is_held(const order::order_view& view) {
  return view.after.hold != order::holding::none && view.after.hold != order::holding::taken;
}

// Still on its way: pending without being an accepted invoice, or owing somebody something.
bool in_flight(const order::order_view& view) {
  return view.owes || (view.status == order::order_status::pending && view.method != payment::method_type::invoice);
}

void write_amounts(json_writer& json, std::string_view name, const std::map<std::string, std::int64_t>& amounts) {
  json.key(name).begin_object();
  for (const auto& [currency, amount] : amounts) json.escaped_key(currency).value(amount);
  json.end_object();
}

}  // namespace

bool law_report::all_hold() const {
  return std::all_of(laws.begin(), laws.end(), [](const auto& law) { return law.second; });
}

std::string law_report::json() const {
  std::string text;
  json_writer json(text);
  json.begin_object().key("laws").begin_object();
  for (const auto& [name, holds] : laws) json.escaped_key(name).value(holds);
  json.end_object().key("detail").begin_object();
  for (const auto& [name, what] : detail) json.escaped_key(name).value(what);
  json.end_object().key("figures").begin_object();
  json.member("products", products).member("orders", orders).member("order_lines", order_lines).member("units", units);
  write_amounts(json, "gross", gross);
  write_amounts(json, "captured", captured);
  write_amounts(json, "refunded", refunded);
  json.key("orders_by_status").begin_object();
  for (const auto& [status, count] : orders_by_status) json.escaped_key(status).value(count);
  json.end_object().end_object().end_object();
  return text;
}

status law_check::each(const char* kind, const std::string& get, const entity_walk::taker& take) {
  return entity_walk(entities_, all_, time_, stopping_).each(kind, get, take);
}

status law_check::wait_for_orders(duration_ms until, std::vector<std::string>& open) {
  const std::string get = order::encode(order::get{});
  auto found = each("order", get, [&](const std::string& id, const answer& got, timestamp_ms) -> status {
    const auto view = got.ok() ? order::decode_reply(got.payload) : result<order::reply>(fail(base_errc::timeout));
    if (!view || in_flight(*view)) open.push_back(id);
    return {};
  });
  if (!found) return found;
  while (!open.empty() && time_.monotonic() < until && !stopping_) {
    std::vector<std::string> still;
    for (std::size_t at = 0; at < open.size(); at += walk_step) {
      const std::size_t end = std::min(at + walk_step, open.size());
      std::vector<envelope> questions;
      for (std::size_t i = at; i < end; ++i) questions.push_back(engine_question("order", open[i], get));
      const auto answers = ask_and_wait(entities_, std::move(questions), walk_step_patience);
      for (std::size_t i = at; i < end; ++i) {
        const auto view = order::decode_reply(answers[i - at].payload);
        if (!answers[i - at].ok() || !view || in_flight(*view)) still.push_back(open[i]);
      }
    }
    open.swap(still);
    if (!open.empty()) std::this_thread::sleep_for(poll_interval);
  }
  return {};
}

status law_check::take_order(const std::string& id, const answer& got, gathered& into, law_report& report) const {
  if (!got.ok()) return fail(*got.failure);
  const auto view = order::decode_reply(got.payload);
  if (!view) return fail(view.error());
  ++report.orders_by_status[to_string(view->status)];
  if (in_flight(*view)) {
    into.found["no_order_in_doubt"].push_back("order " + id + " is " + to_string(view->status));
    std::set<std::string> products;
    for (const auto& line : view->lines) products.insert(line.product.str());
    for (const auto& product : products) ++into.wanted_by[product];
  }
  paid_amounts& amounts = into.orders[id];
  amounts = {.captured = view->captured.amount_minor,
             .refunded = view->refunded.amount_minor,
             .captures = 0,
             .currency = std::string(view->total.currency.text())};
  if (!stands(*view)) {
    if (amounts.captured != amounts.refunded && !view->owes) {
      into.found["ledgers_agree"].push_back("order " + id + " does not stand, and was not refunded");
    }
    return {};
  }
  ++report.orders;
  report.order_lines += view->lines.size();
  report.gross[amounts.currency] += view->total.amount_minor;
  std::int64_t sum = 0;
  for (const auto& line : view->lines) {
    sum += line.unit_price.amount_minor * line.quantity;
    into.units[line.product.str()] += line.quantity - line.restocked;
    report.units += line.quantity;
  }
  const bool adds_up = view->prices ? pricing::adds_up(*view->prices) && view->prices->subtotal_minor == sum &&
                                          view->prices->total_minor == view->total.amount_minor
                                    : sum == view->total.amount_minor;
  if (!adds_up) into.found["orders_add_up"].push_back("order " + id);
  take_promotions(*view, into);
  std::int64_t by_gift = 0;
  for (const auto& each : view->gift_payments) by_gift += each.amount.amount_minor;
  const bool owed = view->method != payment::method_type::invoice && !is_held(*view);
  if (owed && amounts.captured + by_gift != view->total.amount_minor) {
    into.found["ledgers_agree"].push_back("order " + id + " is " + to_string(view->status) + " and not paid in full");
  }
  return {};
}

// A stock expires what is due before it answers, so a hold that was past its time when it was asked has no end.
void law_check::check_holds(const std::string& id, const stock::stock_view& view, timestamp_ms asked_at, gathered& into) {
  auto& found = into.found;
  if (view.next_expiry && *view.next_expiry <= asked_at) {
    found["no_hold_outlives_its_end"].push_back(id + " has a hold that ended " + to_rfc3339(*view.next_expiry));
  }
  const auto wanted = into.wanted_by.find(id);
  const std::uint64_t on_their_way = wanted == into.wanted_by.end() ? 0 : wanted->second;
  if (view.order_claims > on_their_way) {
    found["no_hold_outlives_its_end"].push_back(id + " has " + std::to_string(view.order_claims) + " claims, " +
                                                std::to_string(on_their_way) + " orders on their way want it");
  }
}

status law_check::take_stock(const std::string& id, const answer& got, timestamp_ms asked_at, gathered& into,
                             law_report& report) const {
  if (!got.ok()) return fail(*got.failure);
  const auto view = stock::decode_reply(got.payload);
  if (!view) return fail(view.error());
  ++report.products;
  if (view->available < -view->owed_floor || view->on_hand != view->available + view->reserved) {
    into.found["no_oversell"].push_back(id);
  }
  if (view->received + view->adjusted != view->on_hand + view->sold - view->returned) {
    into.found["stock_balance"].push_back(id);
  }
  if (view->order_claims != 0) {
    into.found["no_stray_claims"].push_back(id + " is claimed by " + std::to_string(view->order_claims) + " orders");
  }
  check_holds(id, *view, asked_at, into);
  const auto wanted = into.units.find(id);
  const std::int64_t of_orders = wanted == into.units.end() ? 0 : wanted->second;
  if (view->sold - view->returned != of_orders) {
    into.found["stock_matches_orders"].push_back(id + ": " + std::to_string(view->sold - view->returned) +
                                                 " sold, orders have " + std::to_string(of_orders));
  }
  if (wanted != into.units.end()) into.units.erase(wanted);
  return {};
}

void law_check::compare_ledgers(gathered& with) {
  for (const auto& [id, here] : with.orders) {
    const auto at = with.ledger.find(id);
    const paid_amounts there = at == with.ledger.end() ? paid_amounts{} : at->second;
    if (here.captured != there.captured || here.refunded != there.refunded) {
      with.found["ledgers_agree"].push_back("order " + id + ": captured " + std::to_string(here.captured) + " and refunded " +
                                            std::to_string(here.refunded) + " here, " + std::to_string(there.captured) +
                                            " and " + std::to_string(there.refunded) + " at the provider");
    }
    if (there.captures > 1) with.found["one_capture_per_order"].push_back("order " + id);
  }
  for (const auto& [id, there] : with.ledger) {
    if (there.captured != there.refunded && !with.orders.contains(id)) {
      with.found["one_capture_per_order"].push_back("the provider charged for " + id + ", which is no order");
    }
  }
}

result<law_report> law_check::run(duration_ms patience) {
  law_report report;
  gathered all;
  if (auto waited = wait_for_orders(time_.monotonic() + patience, all.open); !waited) return fail(waited.error());
  auto orders = each("order", order::encode(order::get{}), [&](const std::string& id, const answer& got, timestamp_ms) {
    return take_order(id, got, all, report);
  });
  if (!orders) return fail(orders.error());
  auto stocks = each("stock", stock::encode(stock::get{}), [&](const std::string& id, const answer& got, timestamp_ms at) {
    return take_stock(id, got, at, all, report);
  });
  if (!stocks) return fail(stocks.error());
  for (const auto& [product, units] : all.units) {
    if (units != 0) all.found["stock_matches_orders"].push_back(product + " was sold and has no stock record");
  }
  if (auto promotions = check_promotions(all); !promotions) return fail(promotions.error());
  auto ledger = ledger_([&](const ledger_entry& entry) {
    paid_amounts& amounts = all.ledger[entry.key];
    if (entry.kind == "capture") {
      ++amounts.captures;
      amounts.captured += entry.amount;
      report.captured[entry.currency] += entry.amount;
    } else if (entry.kind == "refund") {
      amounts.refunded += entry.amount;
      report.refunded[entry.currency] += entry.amount;
    }
  });
  if (stopping_) return fail(base_errc::shutting_down);  // what was cut short says nothing of the books
  if (!ledger) all.found["ledgers_agree"].push_back("the provider's ledger cannot be read: " + ledger.error().detail);
  if (ledger) compare_ledgers(all);

  for (const char* name : law_names) report.laws[name] = !all.found.contains(name);
  for (const auto& [name, findings] : all.found) {
    std::string text = std::to_string(findings.size()) + " found: ";
    for (std::size_t i = 0; i < std::min(findings.size(), findings_max); ++i) text += (i ? "; " : "") + findings[i];
    report.detail[name] = text;
  }
  return report;
}

}  // namespace omnicart::http
