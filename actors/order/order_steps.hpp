#pragma once

#include "actors/order/order.hpp"

// The saga's own moves: what follows from the answer to an effect, or from time. Never refused; an
// answer that the order no longer waits for leaves no event.
namespace omnicart::order {

// `what` is any command but place, get, set_status and cancel.
events advance(const state& s, const command& what, timestamp_ms now);

// What follows as soon as the last quote is in; nothing while some are out.
events finish_pricing(const state& s, timestamp_ms now);

// True while the provider is asked for the order's money, or to give it up.
bool paying(const state& s);

// The state after one more event. O(order): for the few moves that look at all of it.
state after(const state& s, const event& what);

}  // namespace omnicart::order
