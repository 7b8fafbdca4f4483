#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "actors/pricing/pricing_terms.hpp"
#include "runtime/base/entity.hpp"

// What may be said to a coupon and what it answers. Entity "coupon/<code>", the code in capital
// letters.
namespace omnicart::coupon {

enum class errc : error_number {
  no_such_coupon = 1300,
  coupon_exists = 1301,  // defined before, otherwise
  coupon_disabled = 1302,
  coupon_not_yet_valid = 1303,
  coupon_expired = 1304,
  coupon_used_up = 1305,         // its total limit is reached
  coupon_in_use = 1306,          // what is left of it is held by orders on their way
  coupon_customer_limit = 1307,  // this customer had it as often as one may
  invalid_coupon = 1308,         // detail says which member
  coupon_released = 1309,        // claimed by an order that has released it
};
const char* to_string(errc code);

// What a coupon is. Limits count uses: one order uses a coupon once.
struct definition {
  std::string title;  // at most 200 bytes; for people
  pricing::discount_rule rule;
  std::optional<timestamp_ms> valid_from;   // inclusive
  std::optional<timestamp_ms> valid_until;  // exclusive
  std::optional<std::uint64_t> total_limit;
  std::optional<std::uint64_t> customer_limit;  // needs a total limit of at most 100,000
  friend bool operator==(const definition&, const definition&) = default;
  OMNICART_FIELDS(title, rule, valid_from, valid_until, total_limit, customer_limit)
};

// Staff. Defining again with the same content: no event.
struct define {
  definition content;
  OMNICART_FIELDS(content)
};
struct set_enabled {
  bool enabled = true;
  OMNICART_FIELDS(enabled)
};

// Would a claim by this customer be granted now? Refused as the claim would be.
struct check {
  std::string customer;
  OMNICART_FIELDS(customer)
};

// From an order's saga; idempotent by order. A claim is pinned: it ends with release or redeem,
// never by time. `customer` is who the limit per customer counts.
struct claim {
  order_id order;
  std::string customer;
  OMNICART_FIELDS(order, customer)
};
// An order that never claimed (or comes back later) can never claim again.
struct release {
  order_id order;
  OMNICART_FIELDS(order)
};
struct redeem {
  order_id order;
  OMNICART_FIELDS(order)
};  // the claim becomes a use
// The use of a cancelled order is there again; once per order.
struct give_back {
  order_id order;
  std::string customer;
  OMNICART_FIELDS(order, customer)
};

struct get {
  OMNICART_FIELDS()
};

using command = std::variant<define, set_enabled, check, claim, release, redeem, give_back, get>;

// Answer to every command. Law: used = redeemed - given_back; used + held <= total_limit.
struct coupon_view {
  definition content;
  bool enabled = true;
  std::uint64_t held = 0;
  std::uint64_t redeemed = 0;
  std::uint64_t given_back = 0;
  timestamp_ms created_at;
  OMNICART_FIELDS(content, enabled, held, redeemed, given_back, created_at)
};
using reply = coupon_view;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::coupon
