#include "actors/stock/stock.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/heap_size.hpp"

// What an event does to a stock record, what must hold afterwards, and what the record answers.
namespace omnicart::stock {
namespace {

struct applier {
  state& s;

  void operator()(const counted& e) const {
    const std::int64_t delta = e.on_hand - s.units.on_hand;
    (s.is_counted ? s.units.adjusted : s.units.received) += delta;
    shift_on_hand(delta);
    if (!e.location.empty()) s.places.add(e.location, e.location_units - s.places.at(e.location));
    s.is_counted = true;
  }
  void operator()(const adjusted& e) const {
    s.units.adjusted += e.delta;
    shift_on_hand(e.delta);
    s.places.add(e.location, e.location_delta);
    s.is_counted = true;
  }
  void operator()(const reserved& e) const {
    s.holds.insert(e.reservation, {e.quantity, e.session, e.ttl, e.expires_at});
    take(e.quantity);
  }
  void operator()(const extended& e) const { s.holds.extend(e.reservation, e.expires_at); }
  void operator()(const released& e) const { take(-s.holds.erase(e.reservation)); }
  void operator()(const expired& e) const { take(-s.holds.erase(e.reservation)); }
  void operator()(const claimed& e) const {
    for (const auto& id : e.taken) take(-s.holds.erase(id));
    s.claims.emplace(e.order, open_claim{e.quantity, e.customer, e.short_of});
    take(e.quantity);
    count_customer(e.customer, e.quantity);
  }
  void operator()(const unclaimed& e) const {
    open_claim was = end_claim(e.order);
    take(-was.quantity);
    count_customer(was.customer, -was.quantity);
    s.ended.record(e.order.str(), {.sold = false, .quantity = was.quantity}, e.at);
  }
  void operator()(const settled& e) const {
    open_claim was = end_claim(e.order);
    take(-was.quantity);
    shift_on_hand(-was.quantity);
    s.units.sold += was.quantity;
    for (const drawn_units& each : e.drawn) s.places.add(each.location, -each.units);
    s.ended.record(e.order.str(),
                   {.sold = true,
                    .quantity = was.quantity,
                    .customer = std::move(was.customer),
                    .short_of = was.short_of},
                   e.at);
  }
  void operator()(const restocked& e) const {
    shift_on_hand(e.quantity);
    s.units.returned += e.quantity;
    if (ended_claim* sale = s.ended.find(e.order.str())) {
      sale->returned += e.quantity;
      count_customer(sale->customer, -e.quantity);
    }
    s.returns.record(return_name(e.order, e.return_key), e.quantity, e.at);
  }
  void operator()(const terms_set& e) const {
    s.promised = e.to;
    s.owed_floor = std::max(s.owed_floor, e.to.owed_max);
    if (e.to.customer_max == 0) forget_customers();
  }
  void operator()(const transfer_sent& e) const {
    s.transfers.emplace(e.transfer, open_transfer{e.from, e.to, e.quantity, e.at});
    s.in_transfer += e.quantity;
    s.places.add(e.from, -e.quantity);
    take(e.quantity);
  }
  void operator()(const transfer_received& e) const {
    end_transfer(e.transfer, &open_transfer::to);
  }
  void operator()(const transfer_recalled& e) const {
    end_transfer(e.transfer, &open_transfer::from);
  }

 private:
  void count_customer(const std::string& customer, std::int64_t units) const {
    if (customer.empty() || units == 0) return;
    const auto at = s.customers.find(customer);
    const std::int64_t now = (at == s.customers.end() ? 0 : at->second) + units;
    if (now > 0) {
      s.customers.insert_or_assign(customer, now);
    } else if (at != s.customers.end()) {
      s.customers.erase(at);
    }
  }
  void forget_customers() const {
    s.customers.clear();
    for (auto& [order, claim] : s.claims) claim.customer.clear();
    for (const auto& [at, order] : s.ended.order()) s.ended.find(order)->customer.clear();
  }
  void end_transfer(const std::string& transfer, std::string open_transfer::*where) const {
    const auto at = s.transfers.find(transfer);
    if (at == s.transfers.end()) return;
    s.in_transfer -= at->second.quantity;
    s.places.add(at->second.*where, at->second.quantity);
    take(-at->second.quantity);
    s.transfers.erase(at);
  }
  void shift_on_hand(std::int64_t units) const {
    s.units.on_hand += units;
    s.units.available += units;
  }
  void take(std::int64_t units) const {
    s.units.available -= units;
    s.units.reserved += units;
  }
  open_claim end_claim(const order_id& order) const {
    const auto at = s.claims.find(order);
    if (at == s.claims.end()) return {};
    open_claim was = std::move(at->second);
    s.claims.erase(at);
    return was;
  }
};

// What the command named: a reservation with its expiry, or a claim.
void add_named(stock_view& view, const state& s, const reservation_id& id) {
  if (const hold* found = s.holds.find(id)) {
    view.quantity = found->quantity;
    view.expires_at = found->expires_at;
  }
}

void add_named(stock_view& view, const state& s, const order_id& id) {
  if (const auto open = s.claims.find(id); open != s.claims.end()) {
    view.quantity = open->second.quantity;
    view.short_of = open->second.short_of;
  } else if (const ended_claim* past = s.ended.find(id.str())) {
    view.quantity = past->quantity;
    view.short_of = past->short_of;
  }
}

// Lists that grow with the shop are for those who look after it, not for every order and shopper.
bool shows_places(const command& what, role as) {
  const bool is_answer_to_staff =
      std::holds_alternative<get>(what) || std::holds_alternative<set_on_hand>(what) ||
      std::holds_alternative<adjust>(what) || std::holds_alternative<set_terms>(what) ||
      std::holds_alternative<send_transfer>(what) ||
      std::holds_alternative<receive_transfer>(what) ||
      std::holds_alternative<recall_transfer>(what);
  return is_staff(as) && is_answer_to_staff;
}

}  // namespace

void apply(state& now, const event& what) { std::visit(applier{now}, what); }

void check(const state& now) {
  const figures& f = now.units;
  const auto wide = [](std::int64_t units) { return static_cast<std::uint64_t>(units); };
  ensure(f.available >= -now.owed_floor && f.reserved >= 0,
         "no more is reserved or sold than is on hand and may be owed");
  ensure(wide(f.on_hand) == wide(f.available) + wide(f.reserved), "on_hand = available + reserved");
  ensure(f.received >= 0 && f.sold >= 0, "stock figures are not negative");
  ensure(now.places.total() >= 0 && now.in_transfer >= 0 && at_no_location(now) >= -now.owed_floor,
         "what is at locations and on its way is on hand");
  ensure(f.returned >= 0 && f.returned <= f.sold, "no more comes back than was sold");
  // Modulo 2^64, which is exact as long as each figure is within 64 bits; decide sees to that.
  ensure(wide(f.received) + wide(f.adjusted) == wide(f.on_hand) + wide(f.sold) - wide(f.returned),
         "received + adjusted = on_hand + sold - returned");
}

void check_full(const state& now) {
  check(now);
  std::int64_t held = 0;
  for (const auto& [id, what] : now.holds.all()) {
    ensure(what.quantity > 0, "a hold holds something");
    ensure(now.holds.expiries().contains({what.expires_at, id}), "a hold expires");
    ensure(now.holds.of_session(what.session).contains(id), "a hold is listed with its session");
    held += what.quantity;
  }
  ensure(now.holds.expiries().size() == now.holds.all().size(), "only holds expire");
  std::map<std::string, std::int64_t> counted;
  for (const auto& [order, claim] : now.claims) {
    ensure(claim.quantity > 0, "a claim claims something");
    ensure(claim.short_of >= 0 && claim.short_of <= claim.quantity,
           "a claim is short of its own units at most");
    ensure(now.ended.find(order.str()) == nullptr, "an ended claim is not open");
    held += claim.quantity;
    if (!claim.customer.empty()) counted[claim.customer] += claim.quantity;
  }
  std::int64_t under_way = 0, placed = 0;
  for (const auto& [id, transfer] : now.transfers) {
    ensure(transfer.quantity > 0 && transfer.from != transfer.to,
           "a transfer takes something somewhere else");
    under_way += transfer.quantity;
  }
  ensure(under_way == now.in_transfer, "what is in transfer is the sum of the transfers");
  ensure(held + under_way == now.units.reserved,
         "reserved is the sum of holds, claims and transfers");
  for (const auto& [location, units] : now.places.all()) {
    ensure(units > 0 && !location.empty(), "a location has units or no entry");
    placed += units;
  }
  ensure(placed == now.places.total(), "the locations add up");
  ensure(now.customers.size() <= counted_customers_max &&
             now.places.all().size() <= places_max + transfers_max &&
             now.transfers.size() <= transfers_max,
         "places, transfers and counted customers are bounded");
  for (const auto& [customer, units] : counted) {
    const auto at = now.customers.find(customer);
    ensure(at != now.customers.end() && at->second >= units,
           "a customer is counted for every open claim");
  }
  ensure(now.ended.size() <= memory_count_max && now.returns.size() <= memory_count_max,
         "what is remembered is bounded");
}

stock_view reply_to(const state& now, const command& what, role as) {
  const figures& f = now.units;
  stock_view view{.on_hand = f.on_hand,
                  .reserved = f.reserved,
                  .available = f.available,
                  .received = f.received,
                  .adjusted = f.adjusted,
                  .sold = f.sold,
                  .returned = f.returned,
                  .session_holds = now.holds.all().size(),
                  .order_claims = now.claims.size(),
                  .expires_at = {},
                  .quantity = 0,
                  .next_expiry = wake_at(now),
                  .promised = now.promised,
                  .short_of = 0,
                  .in_transfer = now.in_transfer,
                  .at_no_location = at_no_location(now),
                  .places = {},
                  .transfers = {},
                  .owed_floor = now.owed_floor};
  std::visit(
      [&](const auto& c) {
        if constexpr (requires { c.reservation; }) add_named(view, now, c.reservation);
        if constexpr (requires { c.order; }) add_named(view, now, c.order);
      },
      what);
  if (!shows_places(what, as)) return view;
  for (const auto& [location, units] : now.places.all()) view.places.push_back({location, units});
  for (const auto& [id, t] : now.transfers)
    view.transfers.push_back({id, t.from, t.to, t.quantity, t.sent_at});
  return view;
}

std::optional<timestamp_ms> wake_at(const state& now) {
  if (now.holds.expiries().empty()) return std::nullopt;
  return now.holds.expiries().begin()->first;
}

std::size_t memory_bytes(const state& now) {
  constexpr std::size_t order_id_bytes = 26;
  constexpr std::size_t claim_bytes =
      heap_block_bytes(order_id_bytes + 1) +
      heap_block_bytes(32 + sizeof(decltype(now.claims)::value_type));
  constexpr std::size_t named_bytes =
      2 * heap_block_bytes(64) + heap_block_bytes(32 + sizeof(open_transfer));
  const std::size_t named = now.places.all().size() + now.transfers.size() + now.customers.size();
  return sizeof(state) + now.holds.memory_bytes() + now.claims.size() * claim_bytes +
         now.ended.memory_bytes() + now.returns.memory_bytes() + named * named_bytes;
}

}  // namespace omnicart::stock
