#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/stock/stock_messages.hpp"
#include "actors/stock/stock_state.hpp"

// The rules of a stock record: what is on the shelf, who holds it for a while, and which order
// claims it. Pure.
namespace omnicart::stock {

// Stored with their position in the variant: append only. `at` is log time.
struct counted {
  std::int64_t on_hand = 0;
  std::string reason;
  caller by;
  timestamp_ms at;
  std::string location;  // which now has `location_units`; empty: none was named
  std::int64_t location_units = 0;
  OMNICART_FIELDS(on_hand, reason, by, at, location, location_units)
};
// `location_delta` is less than `delta` by what went to those who were owed units.
struct adjusted {
  std::int64_t delta = 0;
  std::string reason;
  caller by;
  timestamp_ms at;
  std::string location;
  std::int64_t location_delta = 0;
  OMNICART_FIELDS(delta, reason, by, at, location, location_delta)
};
struct reserved {
  reservation_id reservation;
  std::int64_t quantity = 0;
  std::string session;
  duration_ms ttl{0};
  timestamp_ms expires_at;
  timestamp_ms at;
  OMNICART_FIELDS(reservation, quantity, session, ttl, expires_at, at)
};
struct extended {
  reservation_id reservation;
  timestamp_ms expires_at;
  timestamp_ms at;
  OMNICART_FIELDS(reservation, expires_at, at)
};
struct released {
  reservation_id reservation;
  timestamp_ms at;
  OMNICART_FIELDS(reservation, at)
};
struct expired {
  reservation_id reservation;
  timestamp_ms at;
  OMNICART_FIELDS(reservation, at)
};
// `taken` are the session holds that ended in this claim; what they held beyond it is free again.
struct claimed {
  order_id order;
  std::int64_t quantity = 0;
  std::vector<reservation_id> taken;
  timestamp_ms at;
  std::string customer;       // counted by terms::customer_max; empty: not counted
  std::int64_t short_of = 0;  // units of it that were not there
  OMNICART_FIELDS(order, quantity, taken, at, customer, short_of)
};
struct unclaimed {
  order_id order;
  timestamp_ms at;
  OMNICART_FIELDS(order, at)
};
// `drawn` are the locations that the units leave; the rest are at none, or not there yet.
struct drawn_units {
  std::string location;
  std::int64_t units = 0;
  OMNICART_FIELDS(location, units)
};
struct settled {
  order_id order;
  timestamp_ms at;
  std::vector<drawn_units> drawn;
  OMNICART_FIELDS(order, at, drawn)
};
struct restocked {
  order_id order;
  std::string return_key;
  std::int64_t quantity = 0;
  timestamp_ms at;
  OMNICART_FIELDS(order, return_key, quantity, at)
};

struct terms_set {
  terms to;
  caller by;
  timestamp_ms at;
  OMNICART_FIELDS(to, by, at)
};
struct transfer_sent {
  std::string transfer;
  std::string from;
  std::string to;
  std::int64_t quantity = 0;
  std::string reason;
  caller by;
  timestamp_ms at;
  OMNICART_FIELDS(transfer, from, to, quantity, reason, by, at)
};
// All of its units; those that were lost leave by an adjustment behind it.
struct transfer_received {
  std::string transfer;
  caller by;
  timestamp_ms at;
  OMNICART_FIELDS(transfer, by, at)
};
struct transfer_recalled {
  std::string transfer;
  caller by;
  timestamp_ms at;
  OMNICART_FIELDS(transfer, by, at)
};

using event = std::variant<counted, adjusted, reserved, extended, released, expired, claimed,
                           unclaimed, settled, restocked, terms_set, transfer_sent,
                           transfer_received, transfer_recalled>;

// Every accepted command first expires the holds that are due at context.now; a refusal is decided
// as if they had expired but leaves no event. Refusals, in the order checked:
//   set_on_hand  base_errc::forbidden (not staff), invalid_quantity, base_errc::malformed (a location of over 64
//                bytes), below_reserved, not_there (without a location: fewer than are at locations), place_limit
//   adjust       base_errc::forbidden (not staff), invalid_quantity (0, or a figure outside 64
//                bits), base_errc::malformed, below_reserved, not_there, place_limit
//   set_terms    base_errc::forbidden (not staff), invalid_terms
//   send_transfer     base_errc::forbidden (not staff), base_errc::malformed (also from = to), invalid_quantity,
//                transfer_conflict, transfer_limit, place_limit, not_there, out_of_stock, contended
//   receive_transfer  base_errc::forbidden (not staff), no_such_transfer, invalid_quantity, place_limit
//   recall_transfer   base_errc::forbidden (not staff), no_such_transfer
//   reserve      invalid_quantity, quantity_limit, invalid_duration, reservation_conflict, hold_limit,
//                base_errc::expired (would outlast its count), out_of_stock, contended
//   extend       invalid_duration, no_such_reservation, base_errc::expired (as above)
//   release      no_such_reservation
//   claim        invalid_quantity, base_errc::malformed (a customer of over customer_bytes_max),
//                no_such_reservation (unclaimed before), reservation_conflict, customer_limit,
//                customer_count_full, out_of_stock, contended; `available` in the refusal counts the
//                holds of the order's own sessions, and what may be owed
//   unclaim      no_such_reservation (sold already); an order that never claimed leaves a mark
//                and can never claim
//   settle       no_such_reservation
//   restock      invalid_quantity (also above what was sold), reservation_conflict (the return
//                key was used with another quantity), no_such_reservation (claimed or unclaimed,
//                but not sold)
//   get, wake    none
// Units of a customer are counted from when terms limit them; a return is taken off as long as its
// sale is remembered. Lifting the limit forgets the counts.
// No event: setting what is on hand already, the terms in force, the same reservation (quantity, session, ttl), claim
// or restock again, an extension that would not lengthen, settle and unclaim again. Holds without a
// session (staff's) are not limited in number and taken over by no claim.
//
// Ended orders and return keys are remembered for `memory_retention`; a return that comes later is
// believed as long as it keeps returned <= sold.
result<std::vector<event>> decide(const state& now, const command& what, const context& ctx);

// Total: a recorded event always applies.
void apply(state& now, const event& what);
void check(const state& now);       // O(1): the law of the figures
void check_full(const state& now);  // sums every hold and claim

// A member beyond its limit: invalid_terms, naming it.
status validate(const terms& what);

stock_view reply_to(const state& now, const command& what, role as);  // to whom: places are for staff
std::optional<timestamp_ms> wake_at(const state& now);  // the earliest expiry
std::size_t memory_bytes(const state& now);

// Codec (stock_codec.cpp). Schema 1.
std::string encode_available(std::int64_t units);  // error::data of out_of_stock and contended
result<command> decode_command(std::string_view bytes);
std::string encode(const reply& what);
std::string encode_event(const event& what);
result<event> decode_event(std::string_view bytes);
std::string encode_state(const state& now);
result<state> decode_state(std::string_view bytes);
std::string describe_event(const event& what);
std::string describe_state(const state& now);

}  // namespace omnicart::stock
