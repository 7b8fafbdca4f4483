#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "actors/order/order_events.hpp"
#include "runtime/base/entity.hpp"

// The rules of an order and of its checkout saga. Pure; see runtime/kind.hpp for what each function
// promises.
//
//   sealing -> pricing -> claiming -> charging -> over           (items in place of a cart: from
//   pricing on)
//                         claiming -> backing_off -> waiting -> claiming      (others' holds in the
//                         way)
//                                     charging -> voiding -> over             (no word from the
//                                     provider)
//
// Any of them may end in `over` by a rejection. What is owed after that (claims to settle or
// release, the cart, a refund) is kept per stock record and in two flags.
namespace omnicart::order {

inline constexpr duration_ms payment_patience{60'000};  // then the provider is asked to void
inline constexpr std::uint32_t claim_attempts_max = 3;
inline constexpr duration_ms claim_retry_min{20};
inline constexpr duration_ms claim_retry_max{200};

enum class step : std::uint8_t {
  none = 0,
  sealing = 1,
  pricing = 2,
  claiming = 3,
  backing_off = 4,
  waiting = 5,
  charging = 6,
  voiding = 7,
  over = 8
};
const char* to_string(step at);

// `idle` has nothing at the stock under the current attempt's key.
enum class claim_state : std::uint8_t {
  idle = 0,
  to_claim = 1,
  claimed = 2,
  refused = 3,
  to_unclaim = 4,
  to_settle = 5,
  settled = 6,
  to_return = 7,
  returned = 8
};
const char* to_string(claim_state state);

enum class cart_duty : std::uint8_t { none = 0, complete = 1, abandon = 2 };

struct stock_claim {
  product_id product;
  std::int64_t quantity = 0;
  claim_state state = claim_state::idle;
  std::int64_t short_of = 0;  // of a claim that stands: units that were not there
  OMNICART_FIELDS(product, quantity, state, short_of)
};
struct refusal {
  std::uint32_t stock = 0;
  bool contended = false;
  std::int64_t available = 0;
  bool limited = false;
  OMNICART_FIELDS(stock, contended, available, limited)
};
struct moved_price {
  product_id product;
  std::string name;
  money was;
  money is;
  OMNICART_FIELDS(product, name, was, is)
};

// A coupon or a gift card of the order. They are asked for one by one, coupons in code order and
// then gift cards in code order, and before any stock: of orders that want the same ones, the first
// to hold the first of them meets none of the others at the rest.
struct promotion {
  cart::code_kind kind{};
  std::string code;
  claim_state state = claim_state::to_claim;
  pricing::discount_rule rule;    // of a coupon, once held
  std::int64_t amount_minor = 0;  // of a gift card, once held
  error_number refusal = 0;
  pricing::obstacle why{};
  OMNICART_FIELDS(kind, code, state, rule, amount_minor, refusal, why)
};

struct state {
  place content;
  timestamp_ms placed_at;
  timestamp_ms updated_at;
  order_status status = order_status::pending;
  step at = step::none;
  std::vector<line> lines;
  money total;
  std::vector<stock_claim> stocks;  // in product id order
  std::uint32_t attempt = 0;
  std::vector<refusal> refusals;  // of this attempt
  timestamp_ms due;               // waiting: when to claim again; charging: when to give up
  cart_duty cart = cart_duty::none;
  bool refund_owed = false;
  money captured;
  money refunded;
  std::string last4;
  std::string decline_code;
  rejection why = rejection::none;
  order_id other_order;
  std::vector<short_line> short_lines;
  std::vector<moved_price> moved_prices;
  aftermath after;
  std::vector<promotion> promotions;
  std::optional<pricing::breakdown> prices;  // once the terms of the shop have been applied
  std::string shipping_method;               // as wished; empty: the cheapest
  OMNICART_FIELDS(content, placed_at, updated_at, status, at, lines, total, stocks, attempt,
                  refusals, due, cart, refund_owed, captured, refunded, last4, decline_code, why,
                  other_order, short_lines, moved_prices, after, promotions, prices, shipping_method)

  // Derived, not stored: what is unsettled, so that pending() need not look at what is.
  std::set<std::uint32_t> unpriced;  // lines whose quote is owed
  std::set<std::uint32_t> owing;     // stocks in a to_… state
};

// Refusals, in the order checked.
//   place       conflict (exists with other content or buyer), malformed, no_lines, line_limit,
//               forbidden (for another buyer, or a price of one's own, unless staff),
//               invalid_quantity, quantity_limit
//   all others  no_such_order (also to strangers)
//   set_status  forbidden (buyers), illegal_step
//   cancel      not_cancellable
//   shipments, returns, refunds and notes: order_after.hpp
// The order's own commands (answers to its effects, wake) are never refused: what comes late
// changes nothing.
result<events> decide(const state& s, const command& what, const context& ctx);
void apply(state& s, const event& what);
void check(const state& s);
void check_full(const state& s);

// At most `limit` effects, built in O(limit): seal, charge or void; cart; refunds; quotes; stocks in
// id order; units of returns. (Of refunds every one made before is looked at.)
std::vector<effect> pending(const state& s, std::size_t limit);
std::optional<command> settle(const state& s, std::string_view effect_key, const answer& got);
std::optional<timestamp_ms> wake_at(const state& s);
// True until it is known what becomes of the order; an accepted invoice order is pending but not in
// progress.
bool in_progress(const state& s);

// True for what is asked from outside, and answered with the order; false for the order's own
// commands.
bool is_asked_by_people(const command& what);

order_view view(const state& s);
std::size_t memory_bytes(const state& s);  // estimated in O(1)

// The order id that stock records know this attempt by: an order that unclaimed can never claim
// again.
order_id claim_id(const state& s);
// Fills in what is not stored. O(lines).
void index(state& s);

}  // namespace omnicart::order
