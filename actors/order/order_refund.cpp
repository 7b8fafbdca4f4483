#include "actors/order/order_refund.hpp"

#include <algorithm>

#include "actors/order/order_after.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::order {
namespace {

std::int64_t promised_minor(const state& s) {
  std::int64_t sum = 0;
  for (const refund_record& each : s.after.refunds) sum += each.amount.amount_minor;
  return sum;
}

}  // namespace

money paid_for(const line& bought) {
  return multiply(bought.unit_price, bought.quantity)
      .value_or(money{0, bought.unit_price.currency});
}

money share_of(money paid, std::int64_t quantity, std::int64_t before, std::int64_t count) {
  ensure(quantity > 0 && before >= 0 && count >= 0 && before + count <= quantity,
         "a share is of units that were bought");
  // Cut, not rounded: the cuts of two neighbours meet, so nothing is lost or given twice between
  // them.
  const auto until = [&](std::int64_t units) {
    const std::int64_t whole = paid.amount_minor / quantity, rest = paid.amount_minor % quantity;
    return whole * units + rest * units / quantity;
  };
  return {until(before + count) - until(before), paid.currency};
}

money refundable(const state& s) {
  const bool all_goes_back = s.refund_owed || s.after.remainder_made || s.after.stray;
  if (all_goes_back || s.status == order_status::cancelled) return {0, s.captured.currency};
  return {s.captured.amount_minor - promised_minor(s), s.captured.currency};
}

money cancelled_remainder(const state& s) {
  if (s.after.remainder_made) return {0, s.captured.currency};
  return {s.captured.amount_minor - promised_minor(s), s.captured.currency};
}

refund_share share_of(const state& s, const line_counts& units) {
  refund_share share{.lines = {}, .amount = {0, s.total.currency}};
  for (const line_count& each : units) {
    const line* bought = find_line(s, each.line_id);
    ensure(bought != nullptr, "a refund is of lines of the order");
    const std::int64_t count = std::min(each.quantity, bought->quantity - bought->refunded);
    if (count <= 0) continue;
    share.lines.push_back({each.line_id, count});
    share.amount.amount_minor +=
        share_of(paid_for(*bought), bought->quantity, bought->refunded, count).amount_minor;
  }
  return share;
}

}  // namespace omnicart::order
