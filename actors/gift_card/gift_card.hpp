#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/gift_card/gift_card_messages.hpp"
#include "actors/stock/stock_state.hpp"

// The rules of a gift card: its money is held by an order, and then spent or released. Pure.
namespace omnicart::gift_card {

inline constexpr std::size_t holds_max = 1'000;  // orders on their way at a time

// Stored with their position in the variant: append only. `at` is log time.
struct issued {
  issue content;
  caller by;
  timestamp_ms at;
  OMNICART_FIELDS(content, by, at)
};
struct enabling {
  bool enabled = true;
  caller by;
  timestamp_ms at;
  OMNICART_FIELDS(enabled, by, at)
};
struct held {
  order_id order;
  std::int64_t amount_minor = 0;
  timestamp_ms at;
  OMNICART_FIELDS(order, amount_minor, at)
};
struct released {
  order_id order;
  timestamp_ms at;
  OMNICART_FIELDS(order, at)
};
struct spent {
  order_id order;
  timestamp_ms at;
  OMNICART_FIELDS(order, at)
};
struct gave_back {
  order_id order;
  std::int64_t amount_minor = 0;
  timestamp_ms at;
  std::string key;  // of the order's refund; empty: it was cancelled
  OMNICART_FIELDS(order, amount_minor, at, key)
};

using event = std::variant<issued, enabling, held, released, spent, gave_back>;
using events = std::vector<event>;

enum class ending : std::uint8_t { released = 0, spent = 1, given_back = 2 };

struct past {
  ending how = ending::released;
  std::int64_t amount_minor = 0;
  std::int64_t returned_minor = 0;  // of it, by refunds and by a cancellation
};

struct state {
  bool exists = false;
  issue content;
  bool enabled = true;
  timestamp_ms created_at;
  std::int64_t balance_minor = 0;  // what is not spent; held_minor of it is held
  std::int64_t held_minor = 0;
  std::int64_t spent_minor = 0;
  std::int64_t returned_minor = 0;
  std::map<order_id, std::int64_t> holds;
  stock::recent_facts<past> ended;            // by order
  stock::recent_facts<std::int64_t> returns;  // minor units by stock::return_name(order, key)
};

// Refusals, in the order checked:
//   issue        base_errc::forbidden (not admin), gift_card_exists, invalid_gift_card
//   set_enabled  base_errc::forbidden (not admin), no_such_gift_card
//   all others   no_such_gift_card
//   check        gift_card_disabled, gift_card_expired, gift_card_currency, gift_card_spent,
//   gift_card_in_use hold         gift_card_released, base_errc::malformed (no order, or nothing
//   asked for), then as check; in_use also
//                with 1,000 orders on their way
//   spend        gift_card_released (no open hold of this order)
//   give_back    gift_card_released (the order's hold is open or was released), invalid_gift_card
//   (more than was spent and has not come back) get          base_errc::forbidden (not staff)
// No event: the same again, of give_back whatever its amount; release of what is spent.
result<events> decide(const state& now, const command& what, const context& ctx);
void apply(state& now, const event& what);
void check_rules(const state& now);  // O(1): the law of the figures
void check_full(const state& now);
card_view view_of(const state& now, const command& what);
std::size_t memory_bytes(const state& now);

// Codec (gift_card_codec.cpp). Schema 1.
result<command> decode_command(std::string_view bytes);
std::string encode(const reply& what);
std::string encode_event(const event& what);
result<event> decode_event(std::string_view bytes);
std::string encode_state(const state& now);
result<state> decode_state(std::string_view bytes);
std::string describe_event(const event& what);
std::string describe_state(const state& now);

}  // namespace omnicart::gift_card
