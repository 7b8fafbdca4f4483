#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/cart/cart_lines.hpp"
#include "actors/cart/cart_messages.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/money.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::cart {

inline constexpr std::size_t finished_orders_max = 8;
inline constexpr std::size_t merged_carts_max = 32;
inline constexpr std::size_t codes_max = 10;  // of each kind
inline constexpr std::size_t left_lines_max = 20;

// A line as it was when the cart was sealed. `remaining` is what completion takes off the cart's
// line: at most what was sealed, less what the owner took out since.
struct sealed_line {
  line as_sealed;
  std::uint32_t remaining = 0;
};

struct seal_state {
  order_id order;
  currency_code currency;
  std::vector<sealed_line> lines;  // by line id
  wishes with;
};

struct closed_state {
  cart_id to;
  currency_code currency;
  std::vector<line> lines;  // what moved, to answer a repeated surrender
  wishes with = {};         // as above
};

// What the latest merge left behind, to answer it again.
struct merge_rest {
  cart_id from;
  left_behind what;
  OMNICART_FIELDS(from, what)
};

// What few carts have at a time, so that the others do not pay for it.
struct rare_state {
  std::optional<seal_state> seal;
  std::optional<closed_state> closed;
  std::vector<order_id> finished;    // the latest, oldest first
  std::vector<cart_id> merged_from;  // the latest, oldest first
  wishes with;
  std::optional<merge_rest> left;
};

struct state {
  std::string session;
  std::string user;
  line_list lines;
  currency_code currency;  // of all lines; free to change while there are none and no seal
  timestamp_ms updated_at;
  std::unique_ptr<rare_state> rare;

  bool has_owner() const { return !session.empty() || !user.empty(); }
  const seal_state* seal() const { return rare && rare->seal ? &*rare->seal : nullptr; }
  const closed_state* closed() const { return rare && rare->closed ? &*rare->closed : nullptr; }
  // The codes of that kind; empty for none.
  const std::vector<std::string>& codes(code_kind kind) const;
  bool has_finished(const order_id& order) const;
  bool has_merged(const cart_id& from) const;
  rare_state& make_rare();
};

}  // namespace omnicart::cart
