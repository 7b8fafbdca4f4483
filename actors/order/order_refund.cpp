#include "actors/order/order_refund.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "actors/order/order_after.hpp"
#include "actors/order/order_promotions.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::order {
namespace {

std::int64_t promised_by_provider(const state& s) {
  std::int64_t sum = 0;
  for (const refund_record& each : s.after.refunds) sum += provider_part(each).amount_minor;
  return sum;
}

// Of the shares of refunds that are this card's, those that `count` counts.
template <class Count>
std::int64_t to_card(const state& s, const promotion& card, Count count) {
  std::int64_t sum = 0;
  for (const refund_record& refund : s.after.refunds) {
    for (const card_share& each : refund.cards) {
      if (each.code == card.code && count(each)) sum += each.amount_minor;
    }
  }
  return sum;
}

// It paid for an order that stands.
bool has_paid(const promotion& card) {
  return is_card(card) &&
         (card.state == claim_state::to_settle || card.state == claim_state::settled);
}

// What was paid here: all of it, or less for an order by invoice or whose payment was not captured.
std::int64_t paid_here(const state& s) {
  std::int64_t sum = s.after.stray ? 0 : s.captured.amount_minor;
  for (const promotion& each : s.promotions) {
    if (has_paid(each)) sum += each.amount_minor;
  }
  return sum;
}

// What was paid for each line, in their order: the terms' price with discount, shipping and tax, or
// the goods. Of an order that was paid in part, the part in proportion. Adds up to what was paid.
std::vector<std::int64_t> paid_by_line(const state& s) {
  std::vector<std::int64_t> prices;
  prices.reserve(s.lines.size());
  for (std::size_t i = 0; i < s.lines.size(); ++i) {
    prices.push_back(s.prices ? s.prices->lines.at(i).total_minor
                              : price_of(s.lines[i]).amount_minor);
  }
  const std::int64_t paid = paid_here(s);
  return paid == s.total.amount_minor ? prices : pricing::cut(paid, prices);
}

std::int64_t refunded_by_lines(const state& s) {
  std::int64_t sum = 0;
  for (const refund_record& each : s.after.refunds) {
    if (!each.lines.empty()) sum += each.amount.amount_minor;
  }
  return sum;
}

}  // namespace

money price_of(const line& bought) {
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

std::int64_t sources::sum_minor() const {
  return std::accumulate(
      cards.begin(), cards.end(), provider_minor,
      [](std::int64_t sum, const card& each) { return sum + each.left_minor; });
}

sources left_to_refund(const state& s) {
  sources left;
  const bool all_goes_back = s.refund_owed || s.after.remainder_made || s.after.stray;
  if (!all_goes_back && s.status != order_status::cancelled) {
    left.provider_minor = s.captured.amount_minor - promised_by_provider(s);
  }
  for (const promotion& each : s.promotions) {
    if (has_paid(each)) left.cards.push_back({each.code, card_remainder(s, each)});
  }
  return left;
}

refund_parts split(std::int64_t amount_minor, const sources& from) {
  ensure(amount_minor >= 0 && amount_minor <= from.sum_minor(), "a refund is of what is left");
  refund_parts parts{.provider_minor = std::min(amount_minor, from.provider_minor), .cards = {}};
  std::int64_t rest = amount_minor - parts.provider_minor;
  for (auto card = from.cards.rbegin(); card != from.cards.rend() && rest > 0; ++card) {
    const std::int64_t part = std::min(rest, card->left_minor);
    if (part > 0) parts.cards.push_back({.code = card->code, .amount_minor = part});
    rest -= part;
  }
  return parts;
}

refund_share share_of(const state& s, const line_counts& units) {
  refund_share share{.lines = {}, .amount = {0, s.total.currency}};
  for (const line_count& each : units) {
    const line* bought = find_line(s, each.line_id);
    ensure(bought != nullptr, "a refund is of lines of the order");
    const std::int64_t count = std::min(each.quantity, bought->quantity - bought->refunded);
    if (count > 0) share.lines.push_back({each.line_id, count});
  }
  if (share.lines.empty()) return share;
  // The share of all units given back so far, these included, less what was given back for them:
  // what an earlier refund gave too little of comes with this one.
  std::map<std::uint32_t, std::int64_t> counts;
  for (const line_count& each : share.lines) counts[each.line_id] = each.quantity;
  const auto paid = paid_by_line(s);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < s.lines.size(); ++i) {
    const line& each = s.lines[i];
    const auto more = counts.find(each.line_id);
    const std::int64_t count = each.refunded + (more == counts.end() ? 0 : more->second);
    sum += share_of(money{paid[i], s.total.currency}, each.quantity, 0, count).amount_minor;
  }
  share.amount.amount_minor = std::max(sum - refunded_by_lines(s), std::int64_t{0});
  return share;
}

money provider_part(const refund_record& of) {
  money part = of.amount;
  for (const card_share& each : of.cards) part.amount_minor -= each.amount_minor;
  return part;
}

bool owes_provider(const refund_record& of) {
  return of.status == refund_status::owed && !of.provider_made &&
         provider_part(of).amount_minor > 0;
}

money cancelled_remainder(const state& s) {
  if (s.after.remainder_made) return {0, s.captured.currency};
  return {s.captured.amount_minor - promised_by_provider(s), s.captured.currency};
}

std::int64_t card_remainder(const state& s, const promotion& card) {
  return card.amount_minor - to_card(s, card, [](const card_share&) { return true; });
}

std::int64_t card_returned(const state& s, const promotion& card) {
  const std::int64_t by_refunds =
      to_card(s, card, [](const card_share& each) { return each.made; });
  return by_refunds + (card.state == claim_state::returned ? card_remainder(s, card) : 0);
}

}  // namespace omnicart::order
