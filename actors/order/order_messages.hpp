#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/cart/cart_messages.hpp"
#include "actors/order/order_after_messages.hpp"
#include "actors/payment/payment_messages.hpp"
#include "actors/pricing/pricing.hpp"
#include "runtime/base/entity.hpp"
#include "runtime/base/money.hpp"

// What may be said to an order and what it answers. Entity "order/<order_id>", where the id is
// to_base32(digest_128({"order", caller, idempotency key})): a retry reaches the same order.
namespace omnicart::order {

enum class errc : error_number {
  no_such_order = 400,
  illegal_step = 401,     // the status change is not in the table
  not_cancellable = 402,  // shipped or ended
  conflict = 403,         // place with other content than the order was placed with
  no_lines = 404,
  line_limit = 405,        // more than 5,000 items
  invalid_quantity = 406,  // below 1
  quantity_limit = 407,    // more than 999,999 of one product at one price
  no_such_line = 408,
  exceeds_left = 409,      // more units than were ordered and not shipped, or shipped and not returned, ...
  no_such_shipment = 410,
  no_such_return = 411,
  over_refund = 412,       // more than was paid and not refunded
  record_limit = 413,      // shipments_max and its like (order_after_messages.hpp)
  not_stuck = 414,         // nothing of the kind is owed
};
const char* to_string(errc code);

enum class order_status : std::uint8_t {
  pending = 0, paid = 1, processing = 2, shipped = 3, delivered = 4, rejected = 5, declined = 6, cancelled = 7,
  authorised = 8  // accepted; the money is captured with the first shipment
};
const char* to_string(order_status status);

// Why an order was rejected (status rejected only).
enum class rejection : std::uint8_t {
  none = 0,
  out_of_stock = 1,          // short_lines names each
  price_changed = 2,         // price_changes names each; the cart has been refreshed
  total_mismatch = 3,        // the stated total_amount differs from the engine's
  cart_empty = 4,
  checkout_in_progress = 5,  // `other_order` holds the cart
  unknown_product = 6,       // short_lines names each, available 0
  cart_not_found = 7,
  currency_mismatch = 8,
  payment_timeout = 9,       // given up: the provider was asked to void
  total_overflow = 10,
  coupon_refused = 11,       // refused_codes names it and why
  gift_card_refused = 12,    // the same
  not_deliverable = 13,      // no (such) shipping method for the destination, the weight and the currency
  customer_limit = 14,       // more than one customer may have; short_lines names each, available: what is left to this one
};
const char* to_string(rejection why);

struct address {
  std::string name, line1, line2, city, postal_code, region, country, phone;
  friend bool operator==(const address&, const address&) = default;
  OMNICART_FIELDS(name, line1, line2, city, postal_code, region, country, phone)
};

// A line asked for directly, without a cart; priced by the product. `unit_price` only from staff.
struct wanted_line {
  product_id product;
  std::int64_t quantity = 0;
  std::optional<money> unit_price;
  friend bool operator==(const wanted_line&, const wanted_line&) = default;
  OMNICART_FIELDS(product, quantity, unit_price)
};

// Exactly one of `cart` and `items` is used: items when not empty. Placing again with the same content (of which
// buyer, sessions, terms and guest are no part) by the buyer changes nothing, also after the buyer's guest session was
// absorbed by a user: then `sessions` names it, and the cart may be another. Refused as malformed: no `id`, a negative price.
struct place {
  cart_id cart;
  std::vector<wanted_line> items;
  caller buyer;                        // whose order it becomes: the asker, or the user staff order for
  std::vector<std::string> sessions;   // whose holds are taken over
  std::string email;
  std::optional<address> ship_to;
  payment::method payment;
  std::optional<money> stated_total;
  std::string reference;
  std::string customer_reference;
  order_id id;                         // the order's own: its effects name it to stock, cart and provider
  payment::capture_when capture = payment::capture_when::at_order;  // the shop's choice, no part of the content
  std::vector<std::string> coupons;    // besides the cart's
  std::vector<std::string> gift_cards; // besides the cart's
  std::string shipping_method;         // empty: the cart's, or the cheapest
  std::optional<currency_code> currency;  // of `items`; none: the products' own
  std::optional<pricing::terms> terms; // of the shop for the destination, when placed; none: lines cost their prices
  std::string guest;                   // digest_of_guest() of the address of one who is no user, before it was sealed
  friend bool operator==(const place&, const place&) = default;
  OMNICART_FIELDS(cart, items, buyer, sessions, email, ship_to, payment, stated_total, reference, customer_reference, id,
                  capture, coupons, gift_cards, shipping_method, currency, terms, guest)
};
// Whom limits per customer count where nobody signed in: the same for an address however it is written (ASCII letters'
// case). Records that outlive the person hold this and no address.
std::string digest_of_guest(std::string_view address);

struct get { OMNICART_FIELDS() };                                 // not_found unless the buyer or staff asks
struct set_status { order_status to{}; OMNICART_FIELDS(to) };     // staff
struct cancel { std::string reason; OMNICART_FIELDS(reason) };    // buyer before shipping, staff

// Answers to the order's own effects, made by settle(). `attempt` is the claim attempt they belong to.
struct cart_sealed { std::vector<cart::line_view> lines; cart::wishes with; OMNICART_FIELDS(lines, with) };
struct cart_refused { error_number code = 0; order_id other; OMNICART_FIELDS(code, other) };
struct priced {
  std::uint32_t line = 0;
  std::string name;
  money unit_price;
  std::string category;      // for an order that the terms of the shop price
  std::int64_t weight_g = 0; // the same
  OMNICART_FIELDS(line, name, unit_price, category, weight_g)
};
struct unpriced { std::uint32_t line = 0; OMNICART_FIELDS(line) };
// `short_of`: units of it that are not there and will be sent when they come in.
struct claimed {
  std::uint32_t stock = 0;
  std::uint32_t attempt = 0;
  std::int64_t short_of = 0;
  OMNICART_FIELDS(stock, attempt, short_of)
};
struct claim_refused {
  std::uint32_t stock = 0;
  bool contended = false;
  std::int64_t available = 0;
  std::uint32_t attempt = 0;
  bool limited = false;  // by what one customer may have
  OMNICART_FIELDS(stock, contended, available, attempt, limited)
};
struct unclaimed { std::uint32_t stock = 0; std::uint32_t attempt = 0; OMNICART_FIELDS(stock, attempt) };
struct charged { payment::charge_result result; OMNICART_FIELDS(result) };
struct charge_refused { error_number code = 0; OMNICART_FIELDS(code) };
struct voided { payment::charge_result result; OMNICART_FIELDS(result) };
struct sale_settled { std::uint32_t stock = 0; OMNICART_FIELDS(stock) };
struct restocked { std::uint32_t stock = 0; OMNICART_FIELDS(stock) };
struct refunded { OMNICART_FIELDS() };
struct cart_done { OMNICART_FIELDS() };
struct wake { OMNICART_FIELDS() };
// `promotion` is the index among the order's coupons and gift cards. `amount_minor`: what a gift card gives.
struct promotion_granted {
  std::uint32_t promotion = 0;
  pricing::discount_rule rule;
  std::int64_t amount_minor = 0;
  OMNICART_FIELDS(promotion, rule, amount_minor)
};
struct promotion_denied { std::uint32_t promotion = 0; error_number code = 0; OMNICART_FIELDS(promotion, code) };
struct promotion_done { std::uint32_t promotion = 0; OMNICART_FIELDS(promotion) };

using command = std::variant<place, get, set_status, cancel, cart_sealed, cart_refused, priced, unpriced, claimed,
                             claim_refused, unclaimed, charged, charge_refused, voided, sale_settled, restocked,
                             refunded, cart_done, wake, ship, deliver, ask_return, close_return, give_refund,
                             add_note, shelved, part_refunded, payment_told, retry, resolve, capture_answered,
                             capture_refused, promotion_granted, promotion_denied, promotion_done, card_refunded>;

struct line_view {
  std::uint32_t line_id = 0;
  product_id product;
  std::string name;
  std::int64_t quantity = 0;
  money unit_price;
  money line_total;
  std::int64_t shipped = 0;   // units sent
  std::int64_t returned = 0;  // units received back
  std::int64_t restocked = 0;  // of those, back on the shelf
  std::int64_t refunded = 0;  // units whose price was given back
  OMNICART_FIELDS(line_id, product, name, quantity, unit_price, line_total, shipped, returned, restocked, refunded)
};
struct short_line {
  product_id product;
  std::int64_t wanted = 0;
  std::int64_t available = 0;
  bool limited = false;  // by what one customer may have
  OMNICART_FIELDS(product, wanted, available, limited)
};
struct back_order { product_id product; std::int64_t quantity = 0; OMNICART_FIELDS(product, quantity) };
struct price_change { product_id product; money was; money is; OMNICART_FIELDS(product, was, is) };

// `returned_minor`: what of it is on the card again.
struct gift_payment {
  std::string code;
  money amount;
  std::int64_t returned_minor = 0;
  OMNICART_FIELDS(code, amount, returned_minor)
};
// `reason`: a code of the coupon, the gift card or pricing::obstacle.
struct refused_code { cart::code_kind kind{}; std::string code; std::string reason; OMNICART_FIELDS(kind, code, reason) };

// Answer to what people ask; the order's own commands are answered with nothing.
struct order_view {
  order_status status{};
  rejection why{};
  caller buyer;
  std::string email;
  cart_id cart;
  std::vector<line_view> lines;
  money total;
  std::int64_t item_count = 0;
  std::optional<address> ship_to;
  payment::method_type method{};
  std::string last4;
  std::string decline_code;
  money captured;  // by the provider
  money refunded;  // by the provider; gift_payments say what went back to gift cards
  std::string reference;
  std::string customer_reference;
  timestamp_ms placed_at;
  timestamp_ms updated_at;
  std::vector<short_line> short_lines;
  std::vector<price_change> price_changes;
  std::optional<order_id> other_order;
  bool owes = false;  // in progress, or effects are still pending (laws wait for these)
  aftermath after;
  std::uint32_t made = 0;  // number of the record that the command made; 0: none
  std::optional<pricing::breakdown> prices;  // line by line; none: the total is the sum of the lines
  std::vector<std::string> coupons;          // held for the order, or used by it
  std::vector<gift_payment> gift_payments;   // the same; total = these and what is (to be) captured
  std::vector<refused_code> refused_codes;
  std::vector<back_order> back_orders;       // units that were not there when they were ordered
  OMNICART_FIELDS(status, why, buyer, email, cart, lines, total, item_count, ship_to, method, last4, decline_code,
                  captured, refunded, reference, customer_reference, placed_at, updated_at, short_lines,
                  price_changes, other_order, owes, after, made, prices, coupons, gift_payments, refused_codes,
                  back_orders)
};
using reply = order_view;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::order
