#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/entity.hpp"
#include "runtime/base/money.hpp"

// What may be said to a cart and what it answers. Entity "cart/<cart_id>"; a session's first cart has the
// session's id. A line is identified by product and price together; `line_id` counts from 1 and is not reused.
namespace omnicart::cart {

// Refusals, and what error::data carries.
enum class errc : error_number {
  invalid_quantity = 100,      // below 1 (0 is allowed where it removes)
  line_limit = 101,            // more than 5,000 lines
  quantity_limit = 102,        // a line would exceed 999,999
  no_such_line = 103,
  empty = 104,                 // nothing to check out
  checkout_in_progress = 105,  // sealed by another order; data: encoded order_id
  currency_mismatch = 106,     // a cart holds one currency; data: encoded, decode_currency
  closed = 107,                // merged into another cart; data: encoded cart_id
  already_open = 108,          // with another owner
  no_such_code = 109,          // not in this cart
  code_limit = 110,            // more than 10 coupons, or 10 gift cards
};
const char* to_string(errc code);

// A line to add. `list_price` lines follow the product's price; others were negotiated by staff and never change.
struct new_line {
  product_id product;
  std::string name;
  std::int64_t quantity = 0;
  money unit_price;
  bool list_price = true;
  friend bool operator==(const new_line&, const new_line&) = default;
  OMNICART_FIELDS(product, name, quantity, unit_price, list_price)
};

// Every command but those of an order (seal, …) is refused as base_errc::not_found unless the asker is the
// cart's owner (same session, or same user) or staff.
struct open { std::string session; std::string user; OMNICART_FIELDS(session, user) };  // idempotent
struct get { OMNICART_FIELDS() };
// All or none. `again_only`: answered when a command with this id ran before, else base_errc::not_found; for a sender
// who can no longer say what the lines cost.
struct add { std::vector<new_line> lines; bool again_only = false; OMNICART_FIELDS(lines, again_only) };
struct set_quantity { std::uint32_t line_id = 0; std::int64_t quantity = 0; OMNICART_FIELDS(line_id, quantity) };
// The line of this product at list price.
struct set_product_quantity { product_id product; std::int64_t quantity = 0; OMNICART_FIELDS(product, quantity) };
struct clear { OMNICART_FIELDS() };

// From the order's saga; idempotent by order. Sealing remembers lines and quantities; what is added later stays.
struct seal { order_id order; caller on_behalf_of; OMNICART_FIELDS(order, on_behalf_of) };
struct price_update { product_id product; std::string name; money unit_price; OMNICART_FIELDS(product, name, unit_price) };
// Unseals without buying; list-price lines of the named products take the new price. An order that does not hold the seal
// changes nothing, but never gets it.
struct abandon_checkout { order_id order; std::vector<price_update> prices; OMNICART_FIELDS(order, prices) };
// Forgets the sealed quantities and unseals.
struct complete_checkout { order_id order; OMNICART_FIELDS(order) };

// What the cart is to be checked out with, besides its lines.
struct wishes {
  std::vector<std::string> coupons;     // in the order they were entered, at most 10
  std::vector<std::string> gift_cards;  // as above
  std::string country;                  // ISO 3166 alpha-2; empty: not chosen
  std::string method;                   // of shipping; empty: not chosen
  friend bool operator==(const wishes&, const wishes&) = default;
  OMNICART_FIELDS(coupons, gift_cards, country, method)
};

// Login merges a guest's cart into the user's: surrender closes the one and answers its lines and wishes; merge takes
// them over once per `from`, as far as the cart can, and answers what it left behind. Idempotent.
struct surrender { cart_id to; OMNICART_FIELDS(to) };
struct merge { cart_id from; std::vector<new_line> lines; wishes with = {}; OMNICART_FIELDS(from, lines, with) };
// Registration keeps the cart and gives it to the user. Idempotent.
struct assign { std::string user; OMNICART_FIELDS(user) };
// A guest's cart that nobody changed for so long is forgotten, as is one that was closed: it is as if it had never been.
struct wake { duration_ms abandoned_after = std::chrono::days{30}; OMNICART_FIELDS(abandoned_after) };
// A person is erased: the cart likewise, at once, if it is that user's, or that guest session's and no user's; else
// nothing. An order that has sealed it goes on without it. By the engine.
struct forget {
  std::string session = {};
  std::string user = {};
  OMNICART_FIELDS(session, user)
};

// A coupon or gift card to check out with. Whether it is good for anything is not the cart's to say. Idempotent.
enum class code_kind : std::uint8_t { coupon = 0, gift_card = 1 };
struct use_code { code_kind kind{}; std::string code; OMNICART_FIELDS(kind, code) };
struct drop_code { code_kind kind{}; std::string code; OMNICART_FIELDS(kind, code) };
// Where the goods are to go, and how; both may be empty: not chosen.
struct choose_shipping { std::string country; std::string method; OMNICART_FIELDS(country, method) };

using command = std::variant<open, get, add, set_quantity, set_product_quantity, clear, seal, abandon_checkout,
                             complete_checkout, surrender, merge, assign, wake, use_code, drop_code, choose_shipping,
                             forget>;

struct line_view {
  std::uint32_t line_id = 0;
  product_id product;
  std::string name;
  std::int64_t quantity = 0;
  money unit_price;
  money line_total;
  bool list_price = true;
  friend bool operator==(const line_view&, const line_view&) = default;
  OMNICART_FIELDS(line_id, product, name, quantity, unit_price, line_total, list_price)
};

// Answer to add, set_quantity and set_product_quantity: the lines touched and the totals, not the whole cart.
// `lines` holds each line as it is now, with quantity 0 when it was removed. A repeated command is answered with the
// same line ids for as long as its receipt is kept.
struct change_view {
  std::vector<line_view> lines;
  money subtotal;
  std::uint32_t line_count = 0;
  std::int64_t item_count = 0;  // sum of quantities
  bool coded = false;           // it has coupons or gift cards
  OMNICART_FIELDS(lines, subtotal, line_count, item_count, coded)
};

// What a merge could not take over, and why, as the refusal that adding it would have met.
struct left_line {
  product_id product;
  std::string name;
  std::int64_t quantity = 0;  // units left behind; the cart may have taken others of the line
  money unit_price;
  errc why{};
  friend bool operator==(const left_line&, const left_line&) = default;
  OMNICART_FIELDS(product, name, quantity, unit_price, why)
};
struct left_code {
  code_kind kind{};
  std::string code;
  errc why{};
  friend bool operator==(const left_code&, const left_code&) = default;
  OMNICART_FIELDS(kind, code, why)
};
struct left_behind {
  std::vector<left_line> lines;  // the first 20
  std::uint32_t line_count = 0;  // of all that stayed behind, whole or in part
  std::vector<left_code> codes;
  friend bool operator==(const left_behind&, const left_behind&) = default;
  OMNICART_FIELDS(lines, line_count, codes)
};

// Answer to every other command. For `seal` the lines and wishes are those sealed, with the sealed quantities; for
// `surrender` those that moved.
struct cart_view {
  std::string session;
  std::string user;
  std::optional<order_id> sealed_by;
  std::vector<line_view> lines;
  money subtotal;
  std::int64_t item_count = 0;
  timestamp_ms updated_at;
  wishes with;
  left_behind left = {};  // of the cart that `merge` named, unless another was merged since; empty for other commands
  OMNICART_FIELDS(session, user, sealed_by, lines, subtotal, item_count, updated_at, with, left)
};

using reply = std::variant<change_view, cart_view>;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);
std::optional<currency_code> decode_currency(std::string_view data);  // nothing in refusals of older builds

}  // namespace omnicart::cart
