#include "actors/coupon/coupon_messages.hpp"
#include "actors/gift_card/gift_card_messages.hpp"
#include "http/laws.hpp"

// What coupons and gift cards say of themselves, against the orders that stand.
namespace omnicart::http {

void law_check::take_promotions(const order::order_view& view, gathered& into) {
  for (const auto& code : view.coupons) ++into.coupon_uses[code];
  for (const auto& each : view.gift_payments) {
    into.card_payments[each.code] += each.amount.amount_minor - each.returned_minor;
    if (each.returned_minor < 0 || each.returned_minor > each.amount.amount_minor)
      into.found["gift_cards_match_orders"].push_back(each.code + " got back more than it paid");
  }
}

status law_check::check_promotions(gathered& with) {
  const auto report = [&](const char* law, const std::string& what) {
    with.found[law].push_back(what);
  };
  const auto coupons =
      each("coupon", coupon::encode(coupon::get{}),
           [&](const std::string& code, const answer& got, timestamp_ms) -> status {
             if (!got.ok()) return fail(*got.failure);
             const auto view = coupon::decode_reply(got.payload);
             if (!view) return fail(view.error());
             const std::uint64_t used = view->redeemed - view->given_back;
             const auto& most = view->content.total_limit;
             if (most && used + view->held > *most)
               report("coupons_match_orders", code + " was used too often");
             if (view->held > with.open.size())
               report("coupons_match_orders", code + " is held by an order that is over");
             const std::uint64_t of_orders = with.coupon_uses[code];
             if (used != of_orders) {
               report("coupons_match_orders", code + ": used " + std::to_string(used) +
                                                  " times, orders have it " +
                                                  std::to_string(of_orders) + " times");
             }
             with.coupon_uses.erase(code);
             return {};
           });
  if (!coupons) return coupons;
  const auto cards = each(
      "gift_card", gift_card::encode(gift_card::get{}),
      [&](const std::string& code, const answer& got, timestamp_ms) -> status {
        if (!got.ok()) return fail(*got.failure);
        const auto view = gift_card::decode_reply(got.payload);
        if (!view) return fail(view.error());
        const std::int64_t spent = view->spent_minor - view->returned_minor;
        if (view->balance_minor < view->held_minor ||
            view->issued.amount_minor != view->balance_minor + spent) {
          report("gift_cards_match_orders", code + " gave more than was on it");
        }
        if (view->holds > static_cast<std::int64_t>(with.open.size())) {
          report("gift_cards_match_orders", code + " is held by an order that is over");
        }
        const std::int64_t of_orders = with.card_payments[code];
        if (spent != of_orders) {
          report("gift_cards_match_orders", code + ": spent " + std::to_string(spent) +
                                                ", orders were paid and keep " +
                                                std::to_string(of_orders));
        }
        with.card_payments.erase(code);
        return {};
      });
  if (!cards) return cards;
  for (const auto& [code, uses] : with.coupon_uses)
    report("coupons_match_orders", code + " is no coupon");
  for (const auto& [code, paid] : with.card_payments)
    report("gift_cards_match_orders", code + " is no gift card");
  return {};
}

}  // namespace omnicart::http
