#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "actors/order/order_messages.hpp"

// What has happened to an order, as stored for ever. The alternatives of `event` keep their places:
// a new one goes to the end, and so does a new member of any of them. The host stores time and
// asker with each event; those that change the status carry their time too, because the state shows
// it.
namespace omnicart::order {

// Whether a line follows the product's price: negotiated ones never do.
enum class quote_state : std::uint8_t { none = 0, needed = 1, done = 2 };

struct line {
  std::uint32_t line_id = 0;
  product_id product;
  std::string name;
  std::int64_t quantity = 0;
  money unit_price;
  quote_state quote = quote_state::none;
  std::uint32_t next_same = 0;  // derived: the next line that shares this one's quote; 0: none
  // Derived from the shipments, returns and refunds; in units.
  std::int64_t shipped = 0, asked_back = 0, returned = 0, restocked = 0, refunded = 0;
  std::string category;         // of an order that the terms of the shop price, as is the weight
  std::int64_t weight_g = 0;    // of one
  bool negotiated = false;      // quoted for these two only
  OMNICART_FIELDS(line_id, product, name, quantity, unit_price, quote, category, weight_g,
                  negotiated)
};

struct placed {
  place content;
  timestamp_ms at;
  OMNICART_FIELDS(content, at)
};
struct cart_taken {
  std::vector<line> lines;
  OMNICART_FIELDS(lines)
};
// `line` is the index of the first line of its product; the others share the quote.
struct line_priced {
  std::uint32_t line = 0;
  std::string name;
  money unit_price;
  std::string category;
  std::int64_t weight_g = 0;
  OMNICART_FIELDS(line, name, unit_price, category, weight_g)
};
struct line_unpriced {
  std::uint32_t line = 0;
  OMNICART_FIELDS(line)
};
struct totalled {
  money total;
  OMNICART_FIELDS(total)
};
struct rejected {
  rejection why{};
  order_id other;
  timestamp_ms at;
  OMNICART_FIELDS(why, other, at)
};
// `stock` is the index among the order's products in id order.
struct stock_claimed {
  std::uint32_t stock = 0;
  std::int64_t short_of = 0;
  OMNICART_FIELDS(stock, short_of)
};
struct stock_refused {
  std::uint32_t stock = 0;
  bool contended = false;
  std::int64_t available = 0;
  bool limited = false;
  OMNICART_FIELDS(stock, contended, available, limited)
};
struct claims_given_up {
  OMNICART_FIELDS()
};  // this attempt; all are released before the next
struct stock_unclaimed {
  std::uint32_t stock = 0;
  OMNICART_FIELDS(stock)
};
struct retry_scheduled {
  timestamp_ms due;
  OMNICART_FIELDS(due)
};
struct claims_retried {
  OMNICART_FIELDS()
};
struct payment_began {
  timestamp_ms give_up_at;
  OMNICART_FIELDS(give_up_at)
};
struct giving_up {
  OMNICART_FIELDS()
};
struct paid {
  money captured;
  std::string last4;
  timestamp_ms at;
  OMNICART_FIELDS(captured, last4, at)
};
struct invoiced {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};  // to be paid later; the goods are committed
struct declined {
  std::string code;
  std::string last4;
  timestamp_ms at;
  OMNICART_FIELDS(code, last4, at)
};
struct stock_settled {
  std::uint32_t stock = 0;
  OMNICART_FIELDS(stock)
};
struct status_changed {
  order_status to{};
  timestamp_ms at;
  OMNICART_FIELDS(to, at)
};
struct cancelled {
  std::string reason;
  timestamp_ms at;
  OMNICART_FIELDS(reason, at)
};
struct refund_made {
  OMNICART_FIELDS()
};
struct stock_returned {
  std::uint32_t stock = 0;
  OMNICART_FIELDS(stock)
};
struct cart_released {
  OMNICART_FIELDS()
};
struct cart_resealed {
  OMNICART_FIELDS()
};  // a copy of the seal came through after the order was done with it, or may yet: the cart is to abandon it

struct shipment_made {
  std::uint32_t number = 0;
  std::string carrier;
  std::string tracking;
  line_counts lines;
  timestamp_ms at;
  OMNICART_FIELDS(number, carrier, tracking, lines, at)
};
struct shipment_delivered {
  std::uint32_t number = 0;
  timestamp_ms at;
  OMNICART_FIELDS(number, at)
};
struct return_asked {
  std::uint32_t number = 0;
  line_counts lines;
  std::string reason;
  timestamp_ms at;
  OMNICART_FIELDS(number, lines, reason, at)
};
struct return_received {
  std::uint32_t number = 0;
  bool restock = false;
  timestamp_ms at;
  OMNICART_FIELDS(number, restock, at)
};
struct return_refused {
  std::uint32_t number = 0;
  std::string reason;
  timestamp_ms at;
  OMNICART_FIELDS(number, reason, at)
};
struct refund_promised {
  std::uint32_t number = 0;
  money amount;
  line_counts lines;
  std::uint32_t for_return = 0;
  std::string reason;
  timestamp_ms at;
  std::vector<card_share> cards;  // of the amount; the rest is the provider's
  OMNICART_FIELDS(number, amount, lines, for_return, reason, at, cards)
};
// The provider's part.
struct part_refund_made {
  std::uint32_t number = 0;
  timestamp_ms at;
  OMNICART_FIELDS(number, at)
};
struct units_shelved {
  std::uint32_t of_return = 0;
  std::uint32_t stock = 0;
  OMNICART_FIELDS(of_return, stock)
};
struct noted {
  std::uint32_t number = 0;
  std::string text;
  role as{};
  std::string user;
  timestamp_ms at;
  OMNICART_FIELDS(number, text, as, user, at)
};

struct authorised {
  money amount;
  std::string last4;
  timestamp_ms at;
  OMNICART_FIELDS(amount, last4, at)
};
struct captured_later {
  money amount;
  timestamp_ms at;
  OMNICART_FIELDS(amount, at)
};
struct capture_failed {
  std::string code;
  timestamp_ms at;
  OMNICART_FIELDS(code, at)
};
struct capture_asked_again {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};
struct authorisation_voided {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};
// The provider took money for an order that does not stand (any more).
struct stray_charge {
  money amount;
  std::string last4;
  timestamp_ms at;
  OMNICART_FIELDS(amount, last4, at)
};
// Made by the provider's own people, not asked for by us.
struct refund_told {
  std::uint32_t number = 0;
  std::string key;
  money amount;
  timestamp_ms at;
  OMNICART_FIELDS(number, key, amount, at)
};
struct resolved {
  resolution how{};
  std::string note;
  timestamp_ms at;
  OMNICART_FIELDS(how, note, at)
};
// What the cart was to be checked out with. Before cart_taken, and only when it is anything.
struct promotions_asked {
  cart::wishes with;
  OMNICART_FIELDS(with)
};
// `promotion` is the index among the coupons in code order, then the gift cards in code order.
struct promotion_held {
  std::uint32_t promotion = 0;
  pricing::discount_rule rule;    // of a coupon
  std::int64_t amount_minor = 0;  // of a gift card
  OMNICART_FIELDS(promotion, rule, amount_minor)
};
// By the coupon or card itself, with its code; or by the pricing, with its obstacle.
struct promotion_refused {
  std::uint32_t promotion = 0;
  error_number code = 0;
  pricing::obstacle why{};
  OMNICART_FIELDS(promotion, code, why)
};
struct terms_applied {
  pricing::breakdown prices;
  OMNICART_FIELDS(prices)
};
// What was owed to it is done: it is released, used, or given back.
struct promotion_ended {
  std::uint32_t promotion = 0;
  OMNICART_FIELDS(promotion)
};
// `card` is the index among the refund's gift cards.
struct card_refund_made {
  std::uint32_t number = 0;
  std::uint32_t card = 0;
  timestamp_ms at;
  OMNICART_FIELDS(number, card, at)
};

using event =
    std::variant<placed, cart_taken, line_priced, line_unpriced, totalled, rejected, stock_claimed,
                 stock_refused, claims_given_up, stock_unclaimed, retry_scheduled, claims_retried,
                 payment_began, giving_up, paid, invoiced, declined, stock_settled, status_changed,
                 cancelled, refund_made, stock_returned, cart_released, cart_resealed,
                 shipment_made, shipment_delivered, return_asked, return_received, return_refused,
                 refund_promised, part_refund_made, units_shelved, noted, authorised,
                 captured_later, capture_failed, capture_asked_again, authorisation_voided,
                 stray_charge, refund_told, resolved,
                 promotions_asked, promotion_held, promotion_refused, terms_applied,
                 promotion_ended, card_refund_made>;
using events = std::vector<event>;

}  // namespace omnicart::order
