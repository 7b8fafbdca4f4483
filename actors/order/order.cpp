#include "actors/order/order.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>

#include "actors/order/order_after.hpp"
#include "actors/order/order_lifecycle.hpp"
#include "actors/order/order_refund.hpp"
#include "actors/order/order_promotions.hpp"
#include "actors/order/order_steps.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::order {
namespace {

// Same user, same session, or one of the sessions the order took its holds from.
bool is_buyer(const state& s, const caller& asker) {
  const place& order = s.content;
  if (!asker.user.empty() && asker.user == order.buyer.user) return true;
  if (asker.session.empty()) return false;
  return asker.session == order.buyer.session ||
         std::find(order.sessions.begin(), order.sessions.end(), asker.session) !=
             order.sessions.end();
}

// The buyer was a guest whose session this caller absorbed since.
bool absorbed_buyer(const state& s, const place& again) {
  const std::string& guest = s.content.buyer.session;
  return !guest.empty() && s.content.buyer.user.empty() &&
         std::find(again.sessions.begin(), again.sessions.end(), guest) != again.sessions.end();
}

bool same_content(const place& a, const place& b) {
  const auto key = [](const place& p) {
    return std::tie(p.items, p.email, p.ship_to, p.payment, p.stated_total, p.reference,
                    p.customer_reference, p.id, p.coupons, p.gift_cards, p.shipping_method,
                    p.currency);
  };
  return key(a) == key(b);
}

result<events> place_again(const state& s, const place& again, const caller& asker) {
  const bool buyer = is_buyer(s, asker) || is_staff(asker.as);
  const bool absorbed = !buyer && absorbed_buyer(s, again);
  if (!buyer && !absorbed) return fail(errc::conflict, "this order is somebody else's");
  const bool same_cart = again.cart == s.content.cart || absorbed;
  if (!same_cart || !same_content(again, s.content)) {
    return fail(errc::conflict, "the order was placed with other content");
  }
  return events{};
}

bool for_oneself(const caller& buyer, const caller& asker) {
  if (!asker.user.empty()) return asker.user == buyer.user;
  return !asker.session.empty() && asker.session == buyer.session && buyer.user.empty();
}

// Product and price together are a line, however many items say it.
status check_quantities(const std::vector<wanted_line>& items) {
  using line_name = std::tuple<std::string, bool, std::int64_t, std::string>;
  std::map<line_name, std::int64_t> sums;
  for (const wanted_line& item : items) {
    if (item.quantity < 1) return fail(errc::invalid_quantity, "a quantity is 1 to 999,999");
    const money price = item.unit_price.value_or(money{});
    auto& sum = sums[{item.product.str(), item.unit_price.has_value(), price.amount_minor,
                      std::string(price.currency.text())}];
    if (item.quantity > limits::line_quantity_max - sum) {
      return fail(errc::quantity_limit, "a line is of at most 999,999");
    }
    sum += item.quantity;
  }
  return {};
}

status check_items(const std::vector<wanted_line>& items, bool staff) {
  for (const wanted_line& item : items) {
    if (item.product.empty()) return fail(base_errc::malformed, "an item without product");
    if (item.unit_price && !staff) return fail(base_errc::forbidden, "only staff name a price");
    if (item.unit_price && item.unit_price->amount_minor < 0) {
      return fail(base_errc::malformed, "a negative price");
    }
  }
  return check_quantities(items);
}

status check_place(const place& what, const caller& asker) {
  const bool staff = is_staff(asker.as);
  if (what.id.empty()) return fail(base_errc::malformed, "an order is placed with its id");
  if (what.payment.type > payment::method_type::invoice) {
    return fail(base_errc::malformed, "unknown payment type");
  }
  if (what.items.empty() && what.cart.empty())
    return fail(errc::no_lines, "neither cart nor items");
  if (what.coupons.size() > codes_max || what.gift_cards.size() > codes_max) {
    return fail(base_errc::malformed, "at most 10 coupons and 10 gift cards");
  }
  if (what.items.size() > limits::cart_lines_max) return fail(errc::line_limit, "over 5,000 lines");
  if (!staff && !for_oneself(what.buyer, asker)) {
    return fail(base_errc::forbidden, "only staff order for others");
  }
  return check_items(what.items, staff);
}

result<events> decide_place(const state& s, const place& what, const context& ctx) {
  if (s.at != step::none) return place_again(s, what, ctx.asker);
  if (auto fits = check_place(what, ctx.asker); !fits) return fail(std::move(fits.error()));
  events done{placed{what, ctx.now}};
  if (!what.items.empty()) {
    for (event& next : finish_pricing(after(s, done.front()), ctx.now))
      done.push_back(std::move(next));
  }
  return done;
}

// What staff may ask for by name. A pending order is one that was accepted against an invoice.
bool legal(const state& s, order_status to) {
  if (s.status == order_status::pending && !accepted_on_invoice(s)) return false;
  return is_staff_step(s.status, to);
}

result<events> decide_status(const state& s, const set_status& what, const context& ctx) {
  if (!is_staff(ctx.asker.as))
    return fail(base_errc::forbidden, "only staff change an order's status");
  if (what.to == s.status) return events{};
  if (!legal(s, what.to)) {
    return fail(errc::illegal_step,
                std::string(to_string(s.status)) + " does not become " + to_string(what.to));
  }
  return events{status_changed{what.to, ctx.now}};
}

result<events> decide_cancel(const state& s, const cancel& what, const context& ctx) {
  if (s.status == order_status::cancelled) return events{};
  if (!awaits_shipping(s)) {
    return fail(errc::not_cancellable, std::string("an order that is ") + to_string(s.status));
  }
  if (anything_shipped(s)) return fail(errc::not_cancellable, "an order that was shipped in part");
  return events{cancelled{what.reason, ctx.now}};
}

template <class Command>
concept comes_after =
    requires(const state& s, const Command& what, const context& ctx) { decide_after(s, what, ctx); };

// Of an order that is there, by its buyer or staff.
struct decider {
  const state& s;
  const context& ctx;

  result<events> operator()(const set_status& what) const { return decide_status(s, what, ctx); }
  result<events> operator()(const cancel& what) const { return decide_cancel(s, what, ctx); }
  template <comes_after Command>
  result<events> operator()(const Command& what) const {
    return decide_after(s, what, ctx);
  }
  template <class Command>
  result<events> operator()(const Command&) const {
    return events{};  // get; the others are not asked from outside
  }
};

}  // namespace

result<events> decide(const state& s, const command& what, const context& ctx) {
  if (const auto* order = std::get_if<place>(&what)) return decide_place(s, *order, ctx);
  if (s.at == step::none) return fail(errc::no_such_order);
  if (!is_asked_by_people(what)) return advance(s, what, ctx.now);
  if (!is_staff(ctx.asker.as) && !is_buyer(s, ctx.asker)) return fail(errc::no_such_order);
  return std::visit(decider{s, ctx}, what);
}

bool is_asked_by_people(const command& what) {
  return std::visit(
      []<class Command>(const Command&) {
        return std::is_same_v<Command, place> || std::is_same_v<Command, get> ||
               std::is_same_v<Command, set_status> || std::is_same_v<Command, cancel> ||
               comes_after<Command>;
      },
      what);
}

bool in_progress(const state& s) { return s.at != step::none && s.at != step::over; }

order_view view(const state& s) {
  order_view shown{
      .status = s.status, .why = s.why, .buyer = s.content.buyer, .email = s.content.email};
  if (s.content.items.empty()) shown.cart = s.content.cart;
  shown.lines.reserve(s.lines.size());
  for (const line& each : s.lines) {
    shown.lines.push_back({.line_id = each.line_id,
                           .product = each.product,
                           .name = each.name,
                           .quantity = each.quantity,
                           .unit_price = each.unit_price,
                           .line_total = price_of(each),
                           .shipped = each.shipped,
                           .returned = each.returned,
                           .restocked = each.restocked,
                           .refunded = each.refunded});
    shown.item_count += each.quantity;
  }
  shown.total = s.total;
  shown.ship_to = s.content.ship_to;
  shown.method = s.content.payment.type;
  shown.last4 = s.last4;
  shown.decline_code = s.decline_code;
  shown.captured = s.captured;
  shown.refunded = s.refunded;
  shown.reference = s.content.reference;
  shown.customer_reference = s.content.customer_reference;
  shown.placed_at = s.placed_at;
  shown.updated_at = s.updated_at;
  shown.short_lines = s.short_lines;
  for (const moved_price& each : s.moved_prices)
    shown.price_changes.push_back({each.product, each.was, each.is});
  for (const stock_claim& each : s.stocks) {
    if (each.short_of > 0) shown.back_orders.push_back({each.product, each.short_of});
  }
  if (!s.other_order.empty()) shown.other_order = s.other_order;
  shown.after = s.after;
  show_promotions(s, shown);
  shown.owes = in_progress(s) || !pending(s, 1).empty();
  return shown;
}

std::size_t memory_bytes(const state& s) {
  constexpr std::size_t text_bytes =
      48;  // an id or name beyond the string's own buffer, on average
  constexpr std::size_t node_bytes = 48;  // of a set
  return s.lines.size() * (sizeof(line) + text_bytes) +
         s.stocks.size() * (sizeof(stock_claim) + text_bytes) +
         s.content.items.size() * (sizeof(wanted_line) + text_bytes) +
         s.content.sessions.size() * 64 + (s.unpriced.size() + s.owing.size()) * node_bytes +
         s.refusals.size() * sizeof(refusal) +
         s.short_lines.size() * (sizeof(short_line) + text_bytes) +
         s.moved_prices.size() * (sizeof(moved_price) + text_bytes) +
         s.after.shipments.size() * (sizeof(shipment) + 2 * text_bytes) +
         s.after.returns.size() * (sizeof(return_record) + text_bytes) +
         s.after.refunds.size() * (sizeof(refund_record) + text_bytes +
                                   (s.promotions.empty() ? 0 : sizeof(card_share) + text_bytes)) +
         s.after.notes.size() * (sizeof(note_record) + note_bytes_max / 4) + promotion_bytes(s) + 512;
}

}  // namespace omnicart::order
