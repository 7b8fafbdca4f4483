#include "actors/stock/stock.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"

// Grammar (schema 1, runtime/base/codec.hpp):
//
//   event    = message of the variant in stock.hpp
//   snapshot = message of [is_counted, figures…, holds, claims, ended, returns, terms, owed_floor,
//   places, transfers,
//              customers]
//   holds    = array of [reservation, quantity, session, ttl, expires_at], by reservation
//   claims   = array of [order, quantity, customer, short_of], by order
//   ended    = array of [order, sold, quantity, returned, at, customer, short_of], oldest first
//   returns  = array of [name, quantity, at], oldest first
//   places, customers = array of [name, units], by name
//   transfers = array of [id, from, to, quantity, sent_at], by id
namespace omnicart::stock {
namespace {

struct stored_hold {
  reservation_id reservation;
  std::int64_t quantity = 0;
  std::string session;
  duration_ms ttl{0};
  timestamp_ms expires_at;
  OMNICART_FIELDS(reservation, quantity, session, ttl, expires_at)
};
struct stored_claim {
  order_id order;
  std::int64_t quantity = 0;
  std::string customer;
  std::int64_t short_of = 0;
  OMNICART_FIELDS(order, quantity, customer, short_of)
};
struct stored_end {
  std::string order;
  bool sold = false;
  std::int64_t quantity = 0;
  std::int64_t returned = 0;
  timestamp_ms at;
  std::string customer;
  std::int64_t short_of = 0;
  OMNICART_FIELDS(order, sold, quantity, returned, at, customer, short_of)
};
struct stored_return {
  std::string name;
  std::int64_t quantity = 0;
  timestamp_ms at;
  OMNICART_FIELDS(name, quantity, at)
};

struct snapshot {
  bool is_counted = false;
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  std::int64_t available = 0;
  std::int64_t received = 0;
  std::int64_t adjusted = 0;
  std::int64_t sold = 0;
  std::int64_t returned = 0;
  std::vector<stored_hold> holds;
  std::vector<stored_claim> claims;
  std::vector<stored_end> ended;
  std::vector<stored_return> returns;
  terms promised;
  std::int64_t owed_floor = 0;
  std::vector<place_view> places;
  std::vector<transfer_view> transfers;
  std::vector<place_view> customers;
  OMNICART_FIELDS(is_counted, on_hand, reserved, available, received, adjusted, sold, returned,
                  holds, claims, ended, returns, promised, owed_floor, places, transfers, customers)
};

snapshot to_snapshot(const state& now) {
  const figures& f = now.units;
  snapshot s{.is_counted = now.is_counted,
             .on_hand = f.on_hand,
             .reserved = f.reserved,
             .available = f.available,
             .received = f.received,
             .adjusted = f.adjusted,
             .sold = f.sold,
             .returned = f.returned,
             .holds = {},
             .claims = {},
             .ended = {},
             .returns = {},
             .promised = now.promised,
             .owed_floor = now.owed_floor,
             .places = {},
             .transfers = {},
             .customers = {}};
  for (const auto& [id, h] : now.holds.all())
    s.holds.push_back({id, h.quantity, h.session, h.ttl, h.expires_at});
  for (const auto& [order, c] : now.claims)
    s.claims.push_back({order, c.quantity, c.customer, c.short_of});
  for (const auto& [at, order] : now.ended.order()) {
    const ended_claim& e = *now.ended.find(order);
    s.ended.push_back({order, e.sold, e.quantity, e.returned, at, e.customer, e.short_of});
  }
  for (const auto& [at, name] : now.returns.order())
    s.returns.push_back({name, *now.returns.find(name), at});
  for (const auto& [location, units] : now.places.all()) s.places.push_back({location, units});
  for (const auto& [id, t] : now.transfers)
    s.transfers.push_back({id, t.from, t.to, t.quantity, t.sent_at});
  for (const auto& [customer, units] : now.customers) s.customers.push_back({customer, units});
  return s;
}

state from_snapshot(snapshot s) {
  state now;
  now.is_counted = s.is_counted;
  now.units = {s.on_hand, s.reserved, s.available, s.received, s.adjusted, s.sold, s.returned};
  for (auto& h : s.holds)
    now.holds.insert(h.reservation, {h.quantity, std::move(h.session), h.ttl, h.expires_at});
  for (auto& c : s.claims)
    now.claims.emplace(std::move(c.order),
                       open_claim{c.quantity, std::move(c.customer), c.short_of});
  for (const auto& e : s.ended)
    now.ended.record(e.order, {e.sold, e.quantity, e.returned, e.customer, e.short_of}, e.at);
  for (const auto& r : s.returns) now.returns.record(r.name, r.quantity, r.at);
  now.promised = s.promised;
  now.owed_floor = s.owed_floor;
  for (const auto& p : s.places) now.places.add(p.location, p.units);
  for (auto& t : s.transfers) {
    now.in_transfer += t.quantity;
    now.transfers.emplace(std::move(t.transfer),
                          open_transfer{std::move(t.from), std::move(t.to), t.quantity, t.sent_at});
  }
  for (auto& c : s.customers) now.customers.emplace(std::move(c.location), c.units);
  return now;
}

}  // namespace

std::string encode_available(std::int64_t units) { return codec::encode(units); }
std::string encode(const command& what) { return codec::encode(what); }
result<command> decode_command(std::string_view bytes) { return codec::decode<command>(bytes); }
std::string encode(const reply& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }
std::string encode_event(const event& what) { return codec::encode(what); }
result<event> decode_event(std::string_view bytes) { return codec::decode<event>(bytes); }

std::string encode_state(const state& now) { return codec::encode(to_snapshot(now)); }

result<state> decode_state(std::string_view bytes) {
  auto stored = codec::decode<snapshot>(bytes);
  if (!stored) return fail(std::move(stored.error()));
  return from_snapshot(std::move(*stored));
}

std::string describe_event(const event& what) { return describe::to_json(what); }
std::string describe_state(const state& now) { return describe::to_json(to_snapshot(now)); }

}  // namespace omnicart::stock
