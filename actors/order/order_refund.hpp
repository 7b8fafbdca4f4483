#pragma once

#include "actors/order/order.hpp"

// What may go back to the buyer. The only place that turns units into money after an order was paid.
namespace omnicart::order {

// What the buyer paid for one whole line, everything included.
money paid_for(const line& bought);

// The part of `paid` that `count` of `quantity` units stand for, when `before` of them went earlier: whole minor units,
// such that the parts of all units, in whatever portions, add up to `paid` exactly. 0 <= before, count;
// before + count <= quantity.
money share_of(money paid, std::int64_t quantity, std::int64_t before, std::int64_t count);

// Captured, and neither refunded nor promised to be.
money refundable(const state& s);

// What is still to be given back for these units, as far as it has not been (line::refunded): the lines with the units
// that count, and their sum. The counts name lines of the order.
struct refund_share {
  line_counts lines;
  money amount;
};
refund_share share_of(const state& s, const line_counts& units);

// What the refund that a cancellation or a stray charge owes comes to; nothing once it was made.
money cancelled_remainder(const state& s);

}  // namespace omnicart::order
