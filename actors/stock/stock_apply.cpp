#include "actors/stock/stock.hpp"
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
    s.is_counted = true;
  }
  void operator()(const adjusted& e) const {
    s.units.adjusted += e.delta;
    shift_on_hand(e.delta);
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
    s.claims.emplace(e.order, e.quantity);
    take(e.quantity);
  }
  void operator()(const unclaimed& e) const {
    const std::int64_t units = end_claim(e.order);
    take(-units);
    s.ended.record(e.order.str(), {.sold = false, .quantity = units}, e.at);
  }
  void operator()(const settled& e) const {
    const std::int64_t units = end_claim(e.order);
    take(-units);
    shift_on_hand(-units);
    s.units.sold += units;
    s.ended.record(e.order.str(), {.sold = true, .quantity = units}, e.at);
  }
  void operator()(const restocked& e) const {
    shift_on_hand(e.quantity);
    s.units.returned += e.quantity;
    if (ended_claim* sale = s.ended.find(e.order.str())) sale->returned += e.quantity;
    s.returns.record(return_name(e.order, e.return_key), e.quantity, e.at);
  }

 private:
  void shift_on_hand(std::int64_t units) const {
    s.units.on_hand += units;
    s.units.available += units;
  }
  void take(std::int64_t units) const {
    s.units.available -= units;
    s.units.reserved += units;
  }
  std::int64_t end_claim(const order_id& order) const {
    const auto at = s.claims.find(order);
    if (at == s.claims.end()) return 0;
    const std::int64_t units = at->second;
    s.claims.erase(at);
    return units;
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
    view.quantity = open->second;
  } else if (const ended_claim* past = s.ended.find(id.str())) {
    view.quantity = past->quantity;
  }
}

}  // namespace

void apply(state& now, const event& what) { std::visit(applier{now}, what); }

void check(const state& now) {
  const figures& f = now.units;
  const auto wide = [](std::int64_t units) { return static_cast<std::uint64_t>(units); };
  ensure(f.available >= 0 && f.reserved >= 0, "no more is reserved than is on hand");
  ensure(wide(f.on_hand) == wide(f.available) + wide(f.reserved), "on_hand = available + reserved");
  ensure(f.on_hand >= 0 && f.received >= 0 && f.sold >= 0, "stock figures are not negative");
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
  for (const auto& [order, units] : now.claims) {
    ensure(units > 0, "a claim claims something");
    ensure(now.ended.find(order.str()) == nullptr, "an ended claim is not open");
    held += units;
  }
  ensure(held == now.units.reserved, "reserved is the sum of holds and claims");
  ensure(now.ended.size() <= memory_count_max && now.returns.size() <= memory_count_max,
         "what is remembered is bounded");
}

stock_view reply_to(const state& now, const command& what) {
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
                  .next_expiry = wake_at(now)};
  std::visit(
      [&](const auto& c) {
        if constexpr (requires { c.reservation; }) add_named(view, now, c.reservation);
        if constexpr (requires { c.order; }) add_named(view, now, c.order);
      },
      what);
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
  return sizeof(state) + now.holds.memory_bytes() + now.claims.size() * claim_bytes +
         now.ended.memory_bytes() + now.returns.memory_bytes();
}

}  // namespace omnicart::stock
