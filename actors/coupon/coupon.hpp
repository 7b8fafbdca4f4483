#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/coupon/coupon_messages.hpp"
#include "actors/stock/stock_state.hpp"

// The rules of a coupon: who holds it, who has used it, how often it may be. Pure.
namespace omnicart::coupon {

inline constexpr std::uint64_t counted_uses_max = 100'000;  // of a coupon with a limit per customer
inline constexpr std::size_t claims_max = 10'000;           // orders on their way at a time
inline constexpr std::size_t customer_bytes_max = 300;

// Stored with their position in the variant: append only. `at` is log time.
struct defined {
  definition content;
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
struct claimed {
  order_id order;
  std::string customer;
  timestamp_ms at;
  OMNICART_FIELDS(order, customer, at)
};
struct released {
  order_id order;
  timestamp_ms at;
  OMNICART_FIELDS(order, at)
};
struct redeemed {
  order_id order;
  timestamp_ms at;
  OMNICART_FIELDS(order, at)
};
struct gave_back {
  order_id order;
  std::string customer;
  timestamp_ms at;
  OMNICART_FIELDS(order, customer, at)
};

using event = std::variant<defined, enabling, claimed, released, redeemed, gave_back>;
using events = std::vector<event>;

enum class ending : std::uint8_t { released = 0, redeemed = 1, given_back = 2 };

struct state {
  bool exists = false;
  definition content;
  bool enabled = true;
  timestamp_ms created_at;
  std::uint64_t redeemed = 0;
  std::uint64_t given_back = 0;
  std::map<order_id, std::string> claims;  // open ones, with their customer
  stock::recent_facts<ending> ended;  // by order; remembered as a stock record remembers its orders
  std::map<std::string, std::uint64_t>
      customers;  // claims and uses; only with a limit per customer

  std::uint64_t used() const { return redeemed - given_back; }
};

// Refusals, in the order checked:
//   define       base_errc::forbidden (not admin), coupon_exists, invalid_coupon
//   set_enabled  base_errc::forbidden (not admin), no_such_coupon
//   all others   no_such_coupon
//   check        coupon_disabled, coupon_not_yet_valid, coupon_expired, coupon_used_up,
//   coupon_in_use,
//                coupon_customer_limit
//   claim        as check, after coupon_released and base_errc::malformed (no order or customer);
//   in_use also with
//                10,000 orders on their way
//   release      coupon_exists never; a redeemed use is not released: no event
//   redeem       coupon_released (no open claim of this order)
//   give_back    coupon_released (the order's claim is open, or was released)
//   get          base_errc::forbidden (not staff)
// No event: the same again. `used` is never above the limit, since a claim counts as a use until it
// ends.
result<events> decide(const state& now, const command& what, const context& ctx);
void apply(state& now, const event& what);
void check_rules(const state& now);  // O(1)
void check_full(const state& now);
coupon_view view_of(const state& now);
std::size_t memory_bytes(const state& now);

// What is wrong with a definition: the member's name; nullptr: nothing.
const char* first_bad_member(const definition& content);

// Codec (coupon_codec.cpp). Schema 1.
result<command> decode_command(std::string_view bytes);
std::string encode(const reply& what);
std::string encode_event(const event& what);
result<event> decode_event(std::string_view bytes);
std::string encode_state(const state& now);
result<state> decode_state(std::string_view bytes);
std::string describe_event(const event& what);
std::string describe_state(const state& now);

}  // namespace omnicart::coupon
