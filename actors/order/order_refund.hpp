#pragma once

#include "actors/order/order.hpp"

// What may go back to the buyer, and to what it was paid with. The only place that turns units into money after an
// order was paid. docs/pricing.md says the rule in words.
namespace omnicart::order {

// What one whole line costs before discounts, tax and shipping.
money price_of(const line& bought);

// The part of `paid` that `count` of `quantity` units stand for, when `before` of them went earlier: whole minor units,
// such that the parts of all units, in whatever portions, add up to `paid` exactly. 0 <= before, count;
// before + count <= quantity.
money share_of(money paid, std::int64_t quantity, std::int64_t before, std::int64_t count);

// What is left of each source: given, and neither refunded nor promised to be. Cards in the order in which they paid.
struct sources {
  struct card {
    std::string code;
    std::int64_t left_minor = 0;
  };
  std::int64_t provider_minor = 0;
  std::vector<card> cards;
  std::int64_t sum_minor() const;
};
sources left_to_refund(const state& s);

// Where a refund goes: to the provider as far as it has something left, the rest to the gift cards, the one that paid
// last first. 0 <= amount_minor <= from.sum_minor(). The parts add up to the amount and none is more than its source
// has left; cards that get nothing are not named.
struct refund_parts {
  std::int64_t provider_minor = 0;
  std::vector<card_share> cards;
};
refund_parts split(std::int64_t amount_minor, const sources& from);

// What is still to be given back for these units, as far as it has not been (line::refunded): the lines with the units
// that count, and their share of what was paid; it may be more than is left. The counts name lines of the order.
struct refund_share {
  line_counts lines;
  money amount;
};
refund_share share_of(const state& s, const line_counts& units);

// The provider's part of a refund, and whether it is still to be asked for it.
money provider_part(const refund_record& of);
bool owes_provider(const refund_record& of);

// What the refund that a cancellation or a stray charge owes comes to; nothing once it was made.
money cancelled_remainder(const state& s);
// What of a gift card's payment no refund has taken: a cancellation gives it back.
std::int64_t card_remainder(const state& s, const promotion& card);
// Of what a gift card paid, what is on it again.
std::int64_t card_returned(const state& s, const promotion& card);

}  // namespace omnicart::order
