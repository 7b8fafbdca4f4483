#pragma once

#include <vector>

#include "actors/cart/cart_messages.hpp"
#include "actors/cart/cart_state.hpp"

// What moves from one cart to another, and what stays behind. Pure.
namespace omnicart::cart {

struct takeover {
  std::vector<new_line> lines;
  wishes with;
  left_behind left;
};

// What `now` can take over, and the rest: of each line as many units as there is room for; codes that it has not got
// yet, up to codes_max; the choice of shipping when it has made none (one of its own stays, and nothing is said of the
// other). The lines of a cart are of one currency: when that is not the one of `now`, whose lines it would join,
// nothing is taken. A cart without lines takes any.
takeover plan_takeover(const state& now, const std::vector<new_line>& lines, const wishes& with);

// All of it, for one reason.
left_behind leave_all(const std::vector<new_line>& lines, const wishes& with, errc why);

inline bool has_choice(const wishes& with) { return !with.country.empty() || !with.method.empty(); }

}  // namespace omnicart::cart
