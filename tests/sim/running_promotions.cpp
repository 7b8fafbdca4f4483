#include <algorithm>

#include "actors/coupon/coupon_kind.hpp"
#include "actors/gift_card/gift_card_kind.hpp"
#include "tests/sim/running_books.hpp"

// Coupons, gift cards and refunds: their own sums, and each against what the orders say.
namespace omnicart::sim {
namespace {

constexpr const char* with_codes = "orders and what they were paid with agree";
constexpr const char* paid_in_full = "what an order costs is what it was paid with";
constexpr const char* by_hand = "desk-";  // the provider's people name theirs so

bool names(const order::state& order, cart::code_kind kind, const std::string& code) {
  return std::any_of(order.promotions.begin(), order.promotions.end(), [&](const auto& each) {
    return each.kind == kind && each.code == code;
  });
}

bool is_by_invoice(const order::state& order) {
  return order.content.payment.type == payment::method_type::invoice;
}

}  // namespace

void running_books::add_coupon(const std::string& id, const recorded& event) {
  const auto what = coupon::kind::decode_event(event.record.event);
  if (!what) return violate_("stored events read", "coupon/" + id);
  if (const auto* e = std::get_if<coupon::claimed>(&*what)) {
    const auto* order = find_order(e->order.str());
    if (!order || !names(*order, cart::code_kind::coupon, id))
      violate_(with_codes, "coupon/" + id + " is claimed by " + e->order.str());
  }
  auto& sum = coupons_[id];
  sum.add(*what);
  if (sum.broken()) violate_(sum.broken()->law, "coupon/" + id + ": " + sum.broken()->detail);
}

void running_books::add_card(const std::string& id, const recorded& event) {
  const auto what = gift_card::kind::decode_event(event.record.event);
  if (!what) return violate_("stored events read", "gift_card/" + id);
  if (const auto* e = std::get_if<gift_card::held>(&*what)) {
    const auto* order = find_order(e->order.str());
    const bool fits = order && names(*order, cart::code_kind::gift_card, id) &&
                      e->amount_minor <= order->total.amount_minor;
    if (!fits) violate_(with_codes, "gift_card/" + id + " is held by " + e->order.str());
  }
  if (const auto* e = std::get_if<gift_card::gave_back>(&*what)) check_given_back(id, *e);
  auto& sum = cards_[id];
  sum.add(*what);
  if (sum.broken()) violate_(sum.broken()->law, "gift_card/" + id + ": " + sum.broken()->detail);
}

// For a refund of the order, its share of it; for the order's cancellation, the rest.
void running_books::check_given_back(const std::string& card, const gift_card::gave_back& e) {
  const auto* order = find_order(e.order.str());
  const auto sum = sums_.find(e.order.str());
  if (!order || sum == sums_.end()) return violate_(with_codes, card + " gives back to no order");
  const auto& of = sum->second;
  const auto paid = of.cards.find(card);
  std::int64_t wanted = -1;
  if (!e.key.empty()) {
    const auto refund = of.refunds.find(e.key);
    const auto parts = refund == of.refunds.end() ? std::map<std::string, std::int64_t>{}
                                                  : refund->second.cards;
    if (parts.contains(card)) wanted = parts.at(card);
  } else if (order->status == order::order_status::cancelled && paid != of.cards.end()) {
    wanted = paid->second - of.promised(card);
  }
  if (wanted != e.amount_minor)
    violate_(with_codes, card + " gives back " + std::to_string(e.amount_minor) + " to " +
                             e.order.str() + ", which wants " + std::to_string(wanted));
}

// What the order says that it was given is what the coupon or the card holds for it.
void running_books::check_held(const std::string& order, const order::state& now,
                               const order::promotion_held& e) {
  const auto& from = now.promotions.at(e.promotion);
  bool same = false;
  if (from.kind == cart::code_kind::gift_card) {
    const auto& holds = cards_[from.code].holds;
    same = holds.contains(order) && holds.at(order) == e.amount_minor;
  } else {
    const auto& coupon = coupons_[from.code];
    same = coupon.claims.contains(order) && coupon.content.rule == e.rule;
  }
  if (!same) violate_(with_codes, order + " says that it has " + from.code);
}

void running_books::add_to_sum(const std::string& id, const order::state& now,
                               const order::event& what) {
  if (const auto* e = std::get_if<order::promotion_held>(&what)) check_held(id, now, *e);
  auto& sum = sums_[id];
  sum.add(what, now);
  if (sum.broken()) violate_(sum.broken()->law, "order/" + id + ": " + sum.broken()->detail);
}

// A refund at the provider is one that the order asked for, whole, or that its own people made.
void running_books::check_refund(const pay::entry& made, const order::state& order) {
  if (made.refund_key.starts_with(by_hand)) return;
  const auto& sum = sums_[made.key];
  std::int64_t wanted = -1;
  if (made.refund_key == "cancel") {
    if (order.status == order::order_status::cancelled) wanted = sum.captured - sum.promised();
  } else if (const auto asked = sum.refunds.find(made.refund_key); asked != sum.refunds.end()) {
    wanted = asked->second.provider;
  }
  if (wanted != made.amount.amount_minor)
    violate_("money goes back as orders say", made.key + ' ' + made.refund_key + ": " +
                                                  std::to_string(made.amount.amount_minor));
}

// --- what people were told ---------------------------------------------------------------------

void running_books::told_after(const std::string& id, const order::order_view& view) {
  constexpr const char* law = "what was told of shipments, returns and refunds stays true";
  const auto* now = find_order(id);
  if (!now) return violate_("an acknowledged order exists", id);
  const auto& is = now->after;
  const auto& was = view.after;
  bool same = was.shipments.size() <= is.shipments.size() &&
              was.returns.size() <= is.returns.size() && was.refunds.size() <= is.refunds.size();
  for (std::size_t i = 0; same && i < was.shipments.size(); ++i)
    same = was.shipments[i].lines == is.shipments[i].lines &&
           was.shipments[i].tracking == is.shipments[i].tracking;
  for (std::size_t i = 0; same && i < was.returns.size(); ++i)
    same = was.returns[i].lines == is.returns[i].lines &&
           (was.returns[i].status == order::return_status::requested ||
            was.returns[i].status == is.returns[i].status);
  for (std::size_t i = 0; same && i < was.refunds.size(); ++i)
    same = was.refunds[i].key == is.refunds[i].key && was.refunds[i].amount == is.refunds[i].amount;
  if (!same) violate_(law, id);
}

// --- at rest -----------------------------------------------------------------------------------

std::int64_t running_books::shelved(const std::string& order, const std::string& product) const {
  const auto sum = sums_.find(order);
  if (sum == sums_.end()) return 0;
  const auto units = sum->second.shelved.find(product);
  return units == sum->second.shelved.end() ? 0 : units->second;
}

std::int64_t running_books::given_by_cards(const std::string& order) const {
  const auto sum = sums_.find(order);
  return sum == sums_.end() ? 0 : sum->second.given();
}

void running_books::at_rest() {
  for (const auto& [id, order] : orders_) check_paid(id, order);
  for (const auto& [code, sum] : coupons_) {
    if (!sum.claims.empty())
      violate_("nothing is held for an order that is over", "coupon/" + code);
    for (const auto& [id, customer] : sum.uses) {
      const auto* order = find_order(id);
      if (!order || !sells(order->status))
        violate_(with_codes, code + " was used by " + id + ", which does not stand");
    }
  }
  for (const auto& [code, sum] : cards_) {
    if (!sum.holds.empty())
      violate_("nothing is held for an order that is over", "gift_card/" + code);
    for (const auto& [id, minor] : sum.spent) {
      const auto* order = find_order(id);
      const auto back = sum.returned.contains(id) ? sum.returned.at(id) : 0;
      const bool stands = order && sells(order->status);
      if (!stands && back != minor) violate_(with_codes, code + " paid for " + id + " for nothing");
    }
  }
}

// Of an order that stands: its coupons are used, its gift cards have paid and have what refunds
// owe them, the provider has paid the rest and what it owes.
void running_books::check_paid(const std::string& id, const order::state& order) {
  if (!sells(order.status)) return;
  const auto& sum = sums_[id];
  const auto booked = accounts_[id];
  std::int64_t provider = 0;
  for (const auto& [key, each] : sum.refunds) provider += each.provider;
  if (booked.refunded != provider)
    violate_("money goes back as orders say", id + ": " + std::to_string(provider) +
                                                  " is owed, the provider gave " +
                                                  std::to_string(booked.refunded));
  const auto to_charge = is_by_invoice(order) ? 0 : order.total.amount_minor - sum.given();
  if (booked.captured != to_charge) violate_(paid_in_full, id);
  for (const auto& each : order.promotions) {
    if (each.kind == cart::code_kind::coupon) {
      if (!coupons_[each.code].uses.contains(id)) violate_(with_codes, id + " uses " + each.code);
      continue;
    }
    const auto& card = cards_[each.code];
    const auto gave = sum.cards.contains(each.code) ? sum.cards.at(each.code) : 0;
    const auto spent = card.spent.contains(id) ? card.spent.at(id) : 0;
    const auto back = card.returned.contains(id) ? card.returned.at(id) : 0;
    if (spent != gave || back != sum.promised(each.code))
      violate_(with_codes, id + " was paid by " + each.code + " with " + std::to_string(spent) +
                               " of " + std::to_string(gave) + ", and gave back " +
                               std::to_string(back));
  }
}

}  // namespace omnicart::sim
