#include "actors/order/order_refund.hpp"

#include <algorithm>

#include "actors/order/order_after.hpp"
#include "actors/order/order_promotions.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::order {
namespace {

std::int64_t promised_minor(const state& s) {
  std::int64_t sum = 0;
  for (const refund_record& each : s.after.refunds) sum += each.amount.amount_minor;
  return sum;
}

// What the provider was paid for a line: its goods, or by the shop's terms its price with discount,
// shipping and tax; less its part of what gift cards paid.
money charged_for(const state& s, const line& bought) {
  if (!s.prices) return paid_for(bought);
  const auto& all = s.prices->lines;
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const auto& p) { return p.line_id == bought.line_id; });
  const std::int64_t price = at == all.end() ? 0 : at->total_minor;
  if (s.total.amount_minor == 0) return {0, s.total.currency};
  return {pricing::round_share(price, due(s).amount_minor, s.total.amount_minor), s.total.currency};
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
        share_of(charged_for(s, *bought), bought->quantity, bought->refunded, count).amount_minor;
  }
  // Parts that were rounded up never give back more than there is.
  const std::int64_t most = refundable(s).amount_minor;
  if (s.prices && share.amount.amount_minor > most) share.amount.amount_minor = most;
  return share;
}

}  // namespace omnicart::order
