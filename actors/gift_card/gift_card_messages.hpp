#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "runtime/base/entity.hpp"
#include "runtime/base/money.hpp"

// What may be said to a gift card and what it answers. Entity "gift_card/<code>", the code in
// capital letters. Who has the code may spend it: a card is money, so it pays for an order and is
// no discount.
namespace omnicart::gift_card {

enum class errc : error_number {
  no_such_gift_card = 1400,
  gift_card_exists = 1401,  // issued before, otherwise
  gift_card_disabled = 1402,
  gift_card_expired = 1403,
  gift_card_spent = 1404,     // nothing is left on it
  gift_card_in_use = 1405,    // orders on their way hold what this one would take
  gift_card_currency = 1406,  // its money is of another currency
  invalid_gift_card = 1407,   // detail says which member
  gift_card_released = 1408,  // held by an order that has released it
};
const char* to_string(errc code);

// Staff. Issuing again with the same content: no event.
struct issue {
  money value;
  std::optional<timestamp_ms> expires_at;
  std::string note;  // at most 200 bytes
  OMNICART_FIELDS(value, expires_at, note)
};
struct set_enabled {
  bool enabled = true;
  OMNICART_FIELDS(enabled)
};

// Could an order in this currency hold something now? Refused as the hold would be.
struct check {
  currency_code currency;
  OMNICART_FIELDS(currency)
};

// From an order's saga; idempotent by order. Holds `amount`, or what is on the card when that is
// less; pinned: ends with release or spend, never by time. While others hold a part of what it
// would take, it is refused.
struct hold {
  order_id order;
  money amount;
  OMNICART_FIELDS(order, amount)
};
// An order that never held (or comes back later) can never hold again.
struct release {
  order_id order;
  OMNICART_FIELDS(order)
};
struct spend {
  order_id order;
  OMNICART_FIELDS(order)
};  // what is held is gone
// What an order had spent is on the card again, also on one that has expired. Once per order and
// `key`, which names one of its refunds; empty: the order was cancelled.
struct give_back {
  order_id order;
  money amount;
  std::string key;
  OMNICART_FIELDS(order, amount, key)
};

struct get {
  OMNICART_FIELDS()
};

using command = std::variant<issue, set_enabled, check, hold, release, spend, give_back, get>;

// Answer to every command. Law: issued = balance + spent - returned; balance = available + held.
struct card_view {
  money issued;
  std::int64_t balance_minor = 0;
  std::int64_t held_minor = 0;
  std::int64_t spent_minor = 0;
  std::int64_t returned_minor = 0;
  std::int64_t holds = 0;        // orders that hold something
  std::int64_t order_minor = 0;  // what the order that the command named holds, or has spent
  bool enabled = true;
  std::optional<timestamp_ms> expires_at;
  std::string note;
  timestamp_ms created_at;
  std::int64_t available_minor() const { return balance_minor - held_minor; }
  OMNICART_FIELDS(issued, balance_minor, held_minor, spent_minor, returned_minor, holds,
                  order_minor, enabled, expires_at, note, created_at)
};
using reply = card_view;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::gift_card
