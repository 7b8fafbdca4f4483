#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/cart/cart_messages.hpp"
#include "actors/cart/cart_state.hpp"

// The rules of a cart. Pure.
//
// Sealing copies the lines and their quantities aside; the cart stays open to changes. A quantity
// set below what is sealed shrinks what completion will take off the line, so that units added
// after the seal always stay. An order that completed or abandoned its checkout never seals again
// (the last 8 are remembered), whether it had sealed the cart or was refused that: copies of its wish
// may be late.
//
// A sealed cart is not surrendered: what its order does not buy moves once that has ended. (Older
// builds moved what was not sealed; their events still mean that.) Nothing is ever bought twice.
namespace omnicart::cart {

// Stored with their position in the variant: append only. `at` is log time.
struct opened {
  std::string session;
  std::string user;
  timestamp_ms at;
  OMNICART_FIELDS(session, user, at)
};
struct lines_added {
  std::vector<new_line> lines;
  timestamp_ms at;
  OMNICART_FIELDS(lines, at)
};
struct quantity_set {
  std::uint32_t line_id = 0;
  std::int64_t quantity = 0;
  timestamp_ms at;
  OMNICART_FIELDS(line_id, quantity, at)
};
struct cleared {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};
struct sealed {
  order_id order;
  timestamp_ms at;
  OMNICART_FIELDS(order, at)
};
struct checkout_abandoned {
  order_id order;
  std::vector<price_update> prices;
  timestamp_ms at;
  OMNICART_FIELDS(order, prices, at)
};
struct checkout_completed {
  order_id order;
  timestamp_ms at;
  OMNICART_FIELDS(order, at)
};
struct surrendered {
  cart_id to;
  timestamp_ms at;
  wishes with = {};  // what moved; nothing in events of older builds
  OMNICART_FIELDS(to, at, with)
};
struct merged {
  cart_id from;
  std::vector<new_line> lines;
  timestamp_ms at;
  wishes with = {};       // what was taken over: codes to add; a choice where there was none
  left_behind left = {};  // what was not
  OMNICART_FIELDS(from, lines, at, with, left)
};
struct assigned {
  std::string user;
  timestamp_ms at;
  OMNICART_FIELDS(user, at)
};
// By time, in the first builds; now an abandoned cart is forgotten.
struct emptied {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};
// Abandoned in the middle of a checkout: the cart waits for its order as long again.
struct kept {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};
struct forgotten {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};

struct code_used {
  code_kind kind{};
  std::string code;
  timestamp_ms at;
  OMNICART_FIELDS(kind, code, at)
};
struct code_dropped {
  code_kind kind{};
  std::string code;
  timestamp_ms at;
  OMNICART_FIELDS(kind, code, at)
};
struct shipping_chosen {
  std::string country;
  std::string method;
  timestamp_ms at;
  OMNICART_FIELDS(country, method, at)
};

using event =
    std::variant<opened, lines_added, quantity_set, cleared, sealed, checkout_abandoned,
                 checkout_completed, surrendered, merged, assigned, emptied, kept, forgotten,
                 code_used, code_dropped, shipping_chosen>;

struct settings {
  duration_ms abandoned_after = std::chrono::days{30};
};

// Refusals, in the order checked. First, for all but open, complete_checkout and abandon_checkout:
// base_errc::not_found for an asker (of seal: on_behalf_of) who is neither owner nor staff; a cart
// without owner is anyone's. Then `closed`, with the cart it moved to.
//   open                  closed, already_open, base_errc::not_found (a stranger naming the owner)
//   get, clear            base_errc::not_found (shop staff, cart without owner)
//   add                   as get; base_errc::not_found (again_only); line by line:
//   base_errc::malformed (no product or above 160
//                         bytes, name above 500 bytes, negative price), invalid_quantity,
//                         quantity_limit (of itself), currency_mismatch, line_limit,
//                         quantity_limit (with what is there), base_errc::overflow
//   set_quantity          as get; invalid_quantity, quantity_limit, no_such_line,
//                         base_errc::overflow
//   set_product_quantity  as above; of several lines at list price (the price changed between the
//                         additions) the youngest is set and the others are removed
//   use_code              as get; base_errc::malformed (no code, or above 64 bytes), code_limit
//   drop_code             as get; no_such_code
//   choose_shipping       as get; base_errc::malformed (a country that is not two letters, a method
//                         above 64 bytes)
//   seal                  checkout_in_progress (data: the other order, or this one if it is
//                         through), empty
//   assign                already_open
//   surrender             closed (moved to another cart already), checkout_in_progress (data: the
//                         order)
//   merge                 none: what does not fit is left behind (cart_takeover.hpp)
// A cart without owner that a guest or shopper adds to becomes theirs. complete_checkout by an order
// that does not hold the seal: no event; abandon_checkout by one: it is remembered, once, unless the
// cart is closed, and changes nothing else. An abandoned checkout's new
// prices are left aside when the subtotal would leave 64 bits, and for a price in another currency;
// lines that become equal by it merge, up to the limit of a line.
result<std::vector<event>> decide(const state& now, const command& what, const context& ctx);

// Total: a recorded event always applies.
void apply(state& now, const event& what);
void check(const state& now);       // O(1)
void check_full(const state& now);  // every line

reply reply_to(const state& now, const command& what);
// The ids of the lines that an addition, or a change of a product's line, touched: to answer it
// again once they are bought or removed. Empty for other commands.
std::vector<std::uint32_t> touched_by(const state& now, const command& what);
// As reply_to; of touched lines that are gone it names the id, with quantity 0.
reply reply_again(const state& now, const command& what, const std::vector<std::uint32_t>& touched);
// A guest's cart, and a closed one: so long after the last change.
std::optional<timestamp_ms> wake_at(const state& now, const settings& with);
bool is_blank(const state& now);  // never used, or forgotten
std::size_t memory_bytes(const state& now);

// Codec (cart_codec.cpp). Schema 1.
std::string encode_id(const std::string& id);  // error::data of checkout_in_progress and closed
std::string encode_touched(const std::vector<std::uint32_t>& line_ids);  // empty text for none
std::vector<std::uint32_t> decode_touched(std::string_view bytes);  // none for what is not that
result<command> decode_command(std::string_view bytes);
std::string encode(const reply& what);
std::string encode_event(const event& what);
result<event> decode_event(std::string_view bytes);
std::string encode_state(const state& now);
result<state> decode_state(std::string_view bytes);
std::string describe_event(const event& what);
std::string describe_state(const state& now);

}  // namespace omnicart::cart
