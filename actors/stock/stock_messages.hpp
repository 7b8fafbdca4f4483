#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
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
  not_there = 209,             // the location has not so many; data: encoded std::int64_t units there
  invalid_terms = 210,         // a member of the terms beyond its limit
  customer_limit = 211,        // more than one customer may have; data: encoded std::int64_t units that are left
  customer_count_full = 212,   // as many customers are counted as one record can
  no_such_transfer = 213,      // unknown, received or called back
  transfer_conflict = 214,     // the id was used with other content
  transfer_limit = 215,        // transfers_max are under way
  place_limit = 216,           // places_max locations have some
};
const char* to_string(errc code);

inline constexpr std::size_t places_max = 5'000;
inline constexpr std::size_t transfers_max = 1'000;
inline constexpr std::size_t counted_customers_max = 200'000;
inline constexpr std::size_t customer_bytes_max = 300;
inline constexpr std::int64_t owed_units_max = 1'000'000'000;

// How more than what is there may be sold.
enum class backorder : std::uint8_t {
  none = 0,   // never
  later = 1,  // back-order: up to `owed_max` units, sent when they come in
  ahead = 2,  // pre-order: the same for what is not out yet; `available_from` says when
};
const char* to_string(backorder kind);

// What a shop promises and asks for a product, besides its price.
struct terms {
  backorder more{};
  std::int64_t owed_max = 0;  // 1 .. 1,000,000,000 with back-order or pre-order, else 0
  std::optional<timestamp_ms> available_from;  // needed for a pre-order, allowed for a back-order
  std::int64_t low_stock = 0;      // low: available <= this; 0: it never is
  std::int64_t customer_max = 0;   // units that one customer may have in orders, 1 .. 999,999; 0: any number
  friend bool operator==(const terms&, const terms&) = default;
  OMNICART_FIELDS(more, owed_max, available_from, low_stock, customer_max)
};

// Staff. `location` (location_id, or empty: the units that are at none): where the units are; set_on_hand sets what is
// there, and without a location what there is altogether. Units that come in by `adjust` go first to those who were sold
// what was not there.
struct set_on_hand {
  std::int64_t on_hand = 0;
  std::string reason;
  std::string location = {};
  OMNICART_FIELDS(on_hand, reason, location)
};
struct adjust {
  std::int64_t delta = 0;
  std::string reason;
  std::string location = {};
  OMNICART_FIELDS(delta, reason, location)
};
struct set_terms { terms to; OMNICART_FIELDS(to) };

// Staff. Units on their way from one location to another (either may be empty, not both): on hand, and nobody can buy them.
// The same transfer with the same content again: no event.
struct send_transfer {
  std::string transfer;  // 1-64 bytes
  std::string from;
  std::string to;
  std::int64_t quantity = 0;
  std::string reason;
  OMNICART_FIELDS(transfer, from, to, quantity, reason)
};
// Of `quantity` units that arrived; those that did not are written off.
struct receive_transfer { std::string transfer; std::int64_t quantity = 0; OMNICART_FIELDS(transfer, quantity) };
struct recall_transfer { std::string transfer; OMNICART_FIELDS(transfer) };  // back to where it came from

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
// idempotent by order. claim takes over the holds of `sessions` for this product first. It may claim what is not there, as
// far as the terms allow: stock_view::short_of says how many of them. `customer` is whom terms::customer_max counts;
// empty: nobody.
struct claim {
  order_id order;
  std::int64_t quantity = 0;
  std::vector<std::string> sessions;
  std::string customer = {};
  OMNICART_FIELDS(order, quantity, sessions, customer)
};
// Gives the claim back. An order that never claimed (or comes back later) can never claim again.
struct unclaim { order_id order; OMNICART_FIELDS(order) };
struct settle { order_id order; OMNICART_FIELDS(order) };  // the claim becomes a sale
// Units of a settled order come back to the shelf; once per `return_key`.
struct restock { order_id order; std::string return_key; std::int64_t quantity = 0; OMNICART_FIELDS(order, return_key, quantity) };

struct get { reservation_id reservation; OMNICART_FIELDS(reservation) };  // may name a reservation: see stock_view
struct wake { OMNICART_FIELDS() };  // expires what is due

using command = std::variant<set_on_hand, adjust, reserve, extend, release, claim, unclaim, settle, restock, get, wake, set_terms,
                             send_transfer, receive_transfer, recall_transfer>;

struct place_view { std::string location; std::int64_t units = 0; OMNICART_FIELDS(location, units) };
struct transfer_view {
  std::string transfer, from, to;
  std::int64_t quantity = 0;
  timestamp_ms sent_at;
  OMNICART_FIELDS(transfer, from, to, quantity, sent_at)
};

// Answer to every command. Law: on_hand = available + reserved; received + adjusted = on_hand + sold - returned. Units that
// were sold and are not there make `available` negative, and `on_hand` once they are paid.
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
  terms promised;
  std::int64_t short_of = 0;                // of the claim the command named: units that were not there
  std::int64_t in_transfer = 0;
  std::int64_t at_no_location = 0;          // on_hand = this, what is at locations and what is in transfer
  std::vector<place_view> places;           // by location; of a get by staff, and of what staff change
  std::vector<transfer_view> transfers;     // the same, by id
  std::int64_t owed_floor = 0;              // the most units that its terms ever allowed to owe: available >= -this
  OMNICART_FIELDS(on_hand, reserved, available, received, adjusted, sold, returned, session_holds, order_claims, expires_at, quantity,
                  next_expiry, promised, short_of, in_transfer, at_no_location, places, transfers, owed_floor)
};
using reply = stock_view;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::stock
