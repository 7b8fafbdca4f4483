#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/entity.hpp"

// What may be said to a stock record and what it answers. Entity "stock/<product_id>".
namespace omnicart::stock {

enum class errc : error_number {
  invalid_quantity = 200,      // below 1 (below 0 for set_on_hand), or a figure would leave 64 bits
  out_of_stock = 201,          // not even without the holds of others; data: encoded std::int64_t available
  contended = 202,             // enough if unsettled holds of others were released; data: as above
  below_reserved = 203,        // on_hand may not go below what is reserved
  no_such_reservation = 204,   // unknown, released or expired
  reservation_conflict = 205,  // the id was used with other content
  hold_limit = 206,            // a session may hold at most 10 reservations (it counts them over all products)
  invalid_duration = 207,      // ttl outside 1 s .. 30 min
  quantity_limit = 208,        // a hold of more than 999,999
};
const char* to_string(errc code);

// Staff.
struct set_on_hand { std::int64_t on_hand = 0; std::string reason; OMNICART_FIELDS(on_hand, reason) };
struct adjust { std::int64_t delta = 0; std::string reason; OMNICART_FIELDS(delta, reason) };

// Session holds: expire by themselves. The same reservation with the same content again: no event. `counted_until`: the
// session counts the hold until then (session::hold); the hold may not outlast that, and is refused as
// base_errc::expired when it would. Time 0: the session has ten already, and this is refused as hold_limit.
struct reserve {
  reservation_id reservation;
  std::int64_t quantity = 0;
  std::string session;
  duration_ms ttl{0};
  std::optional<timestamp_ms> counted_until = {};  // no part of the content; none: not counted
  OMNICART_FIELDS(reservation, quantity, session, ttl, counted_until)
};
// Refused as no_such_reservation for a hold of another session (unless staff).
struct extend {
  reservation_id reservation;
  duration_ms ttl{0};
  std::optional<timestamp_ms> counted_until = {};
  OMNICART_FIELDS(reservation, ttl, counted_until)
};
struct release { reservation_id reservation; OMNICART_FIELDS(reservation) };

// Order claims: pinned from the start (they end with settle or unclaim, never by time); one per order, so all are
// idempotent by order. claim takes over the holds of `sessions` for this product first.
struct claim {
  order_id order;
  std::int64_t quantity = 0;
  std::vector<std::string> sessions;
  OMNICART_FIELDS(order, quantity, sessions)
};
// Gives the claim back. An order that never claimed (or comes back later) can never claim again.
struct unclaim { order_id order; OMNICART_FIELDS(order) };
struct settle { order_id order; OMNICART_FIELDS(order) };  // the claim becomes a sale
// Units of a settled order come back to the shelf; once per `return_key`.
struct restock { order_id order; std::string return_key; std::int64_t quantity = 0; OMNICART_FIELDS(order, return_key, quantity) };

struct get { reservation_id reservation; OMNICART_FIELDS(reservation) };  // may name a reservation: see stock_view
struct wake { OMNICART_FIELDS() };  // expires what is due

using command = std::variant<set_on_hand, adjust, reserve, extend, release, claim, unclaim, settle, restock, get, wake>;

// Answer to every command. Law: on_hand = available + reserved; received + adjusted = on_hand + sold - returned.
struct stock_view {
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  std::int64_t available = 0;
  std::int64_t received = 0;  // what came in through set_on_hand of a fresh record
  std::int64_t adjusted = 0;  // every later correction, signed
  std::int64_t sold = 0;
  std::int64_t returned = 0;
  std::uint64_t session_holds = 0;
  std::uint64_t order_claims = 0;
  std::optional<timestamp_ms> expires_at;  // of the reservation the command named; none: it is no hold (any more)
  std::int64_t quantity = 0;               // of the reservation or claim the command named
  std::optional<timestamp_ms> next_expiry;  // of all session holds, the earliest
  OMNICART_FIELDS(on_hand, reserved, available, received, adjusted, sold, returned, session_holds, order_claims, expires_at, quantity,
                  next_expiry)
};
using reply = stock_view;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::stock
