#include "http/order_json.hpp"

#include <algorithm>

#include "http/order_after_json.hpp"
#include "http/price_json.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::http {
namespace {

const char* payment_status(const order::order_view& view) {
  std::int64_t paid = view.captured.amount_minor, back = view.refunded.amount_minor;
  for (const auto& each : view.gift_payments) {
    paid += each.amount.amount_minor;
    back += each.returned_minor;
  }
  // What became of the provider's part is not hidden by what gift cards have back.
  if (view.captured.amount_minor == 0) {
    switch (view.after.hold) {
      case order::holding::held:
      case order::holding::to_capture: return "authorised";
      case order::holding::lost: return "capture_failed";
      case order::holding::to_void:
      case order::holding::voided: return "voided";
      case order::holding::none:
      case order::holding::taken: break;
    }
  }
  if (back > 0) return back == paid ? "refunded" : "partly_refunded";
  if (view.captured.amount_minor > 0) return "captured";
  switch (view.status) {
    case order::order_status::declined: return "declined";
    case order::order_status::rejected:
    case order::order_status::cancelled: return "none";
    case order::order_status::paid: return "captured";  // nothing to pay
    case order::order_status::authorised:
    case order::order_status::pending:
    case order::order_status::processing:
    case order::order_status::shipped:
    case order::order_status::delivered: break;
  }
  return view.method == payment::method_type::invoice ? "invoiced" : "pending";
}

// Nothing of what has not begun.
void write_progress(json_writer& json, const order::line_view& line) {
  if (line.shipped > 0) json.member("shipped", line.shipped);
  if (line.returned > 0) json.member("returned", line.returned);
  if (line.refunded > 0) json.member("refunded", line.refunded);
}

void write_lines(json_writer& json, const std::vector<order::line_view>& lines,
                 const std::optional<pricing::breakdown>& prices) {
  json.key("items").begin_array();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& line = lines[i];
    json.begin_object()
        .member("line_id", line.line_id)
        .member("product_id", line.product.str())
        .member("name", line.name)
        .member("quantity", line.quantity);
    json.money_member("unit_price", line.unit_price);
    json.money_member("line_total", line.line_total);
    write_progress(json, line);
    if (prices && i < prices->lines.size()) write_line_price(json, *prices, i);
    json.end_object();
  }
  json.end_array();
}

void write_payment(json_writer& json, const order::order_view& view) {
  json.key("payment").begin_object().member("status", payment_status(view)).member("method", to_string(view.method));
  json.text_member("last4", view.last4);
  json.text_member("decline_code", view.decline_code);
  if (view.captured.amount_minor > 0) json.money_member("captured", view.captured);
  if (view.refunded.amount_minor > 0) json.money_member("refunded", view.refunded);
  json.end_object();
}

// What the lines come to; an order that was stopped before it had a total shows this one. Nothing when they do not add
// up, or there are none.
money total_of(const order::order_view& view) {
  if (view.total.currency != currency_code{} || view.lines.empty()) return view.total;
  money sum{0, view.lines.front().line_total.currency};
  for (const auto& line : view.lines) {
    const auto more = add(sum, line.line_total);
    if (!more) return view.total;
    sum = *more;
  }
  return sum;
}

void write_sums(json_writer& json, money total) {
  json.money_member("subtotal", total);
  for (const char* none : {"discount_total", "shipping_total", "tax_total"}) {
    json.money_member(none, {0, total.currency});
  }
  json.money_member("total", total);
}

const char* reason_of(const order::short_line& line, order::rejection why) {
  if (line.limited) return to_string(order::rejection::customer_limit);
  const bool unknown = why == order::rejection::unknown_product;
  return to_string(unknown ? why : order::rejection::out_of_stock);
}

void write_back_orders(json_writer& json, const std::vector<order::back_order>& owed) {
  if (owed.empty()) return;
  json.key("back_orders").begin_array();
  for (const auto& each : owed) {
    json.begin_object().member("product_id", each.product.str()).member("quantity", each.quantity).end_object();
  }
  json.end_array();
}

// Members of a rejection that name each line or price in the way.
std::string obstacles(const std::string& id, const order::order_view& view) {
  std::string text;
  json_writer json(text);
  json.begin_object().member("order_id", id);
  if (!view.short_lines.empty()) {
    json.key("lines").begin_array();
    for (const auto& line : view.short_lines) {
      json.begin_object()
          .member("product_id", line.product.str())
          .member("wanted", line.wanted)
          .member("available", line.available)
          .member("reason", reason_of(line, view.why))
          .end_object();
    }
    json.end_array();
  }
  if (!view.price_changes.empty()) {
    json.key("price_changes").begin_array();
    for (const auto& change : view.price_changes) {
      json.begin_object().member("product_id", change.product.str());
      json.money_member("was", change.was);
      json.money_member("is", change.is);
      json.end_object();
    }
    json.end_array();
  }
  if (view.other_order && !view.other_order->empty()) json.member("order_in_progress", view.other_order->str());
  if (view.why == order::rejection::total_mismatch) json.money_member("total", total_of(view));
  json.text_member("decline_code", view.decline_code);
  write_refused_codes(json, view.refused_codes);
  json.end_object();
  return text.substr(1, text.size() - 2);
}

const char* explanation(order::rejection why) {
  switch (why) {
    case order::rejection::none: return "";
    case order::rejection::out_of_stock: return "there is not enough stock for every line";
    case order::rejection::price_changed: return "prices have changed; the cart shows the new ones";
    case order::rejection::total_mismatch: return "the stated total is not what this order costs";
    case order::rejection::cart_empty: return "the cart is empty";
    case order::rejection::checkout_in_progress: return "another order is being placed from this cart";
    case order::rejection::unknown_product: return "a product is not sold here (any more)";
    case order::rejection::cart_not_found: return "no such cart";
    case order::rejection::currency_mismatch: return "the lines are priced in different currencies";
    case order::rejection::payment_timeout: return "the payment provider did not answer; nothing was charged";
    case order::rejection::total_overflow: return "the total is too large";
    case order::rejection::coupon_refused: return "a coupon cannot be used for this order; refused_codes says why";
    case order::rejection::gift_card_refused: return "a gift card cannot pay for this order; refused_codes says why";
    case order::rejection::customer_limit: return "one customer may not have so many; lines says how many are left";
    case order::rejection::not_deliverable: return "no shipping method carries these goods to this destination";
  }
  return "";
}

}  // namespace

void write_address(json_writer& json, const order::address& at) {
  json.begin_object().member("name", at.name).member("line1", at.line1);
  json.text_member("line2", at.line2);
  json.member("city", at.city).member("postal_code", at.postal_code);
  json.text_member("region", at.region);
  json.member("country", at.country);
  json.text_member("phone", at.phone);
  json.end_object();
}

order::address read_address(object_reader read) {
  order::address at;
  at.name = read.required_string("name", 200);
  at.line1 = read.required_string("line1", 200);
  at.line2 = read.optional_string("line2", 200).value_or("");
  at.city = read.required_string("city", 200);
  at.postal_code = read.required_string("postal_code", 200);
  at.region = read.optional_string("region", 200).value_or("");
  at.country = read.required_string("country", 2, 2);
  at.phone = read.optional_string("phone", 40).value_or("");
  const bool letters = std::all_of(at.country.begin(), at.country.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (at.country.size() == 2 && !letters) {
    read.report("country", "malformed", "a country is two capital letters (ISO 3166)");
  }
  read.finish();
  return at;
}

std::string order_json(const std::string& id, const order::order_view& view, std::uint64_t version) {
  std::string body;
  body.reserve(512 + 220 * view.lines.size());
  json_writer json(body);
  json.begin_object().member("order_id", id).member("status", to_string(view.status));
  if (view.why != order::rejection::none) json.member("reason", to_string(view.why));
  json.text_member("cart_id", view.cart.str());
  json.text_member("user_id", view.buyer.user);
  json.text_member("email", view.email);
  write_lines(json, view.lines, view.prices);
  json.member("item_count", view.item_count);
  write_back_orders(json, view.back_orders);
  const money total = total_of(view);
  if (view.prices) {
    write_totals(json, *view.prices);
  } else {
    write_sums(json, total);
  }
  write_codes(json, view.coupons, view.gift_payments, total);
  write_refused_codes(json, view.refused_codes);
  write_payment(json, view);
  if (view.ship_to) {
    json.key("shipping_address");
    write_address(json, *view.ship_to);
  }
  write_aftermath(json, view);
  json.text_member("reference", view.reference);
  json.text_member("customer_reference", view.customer_reference);
  json.member("placed_at", to_rfc3339(view.placed_at))
      .member("updated_at", to_rfc3339(view.updated_at))
      .member("version", version)
      .end_object();
  return body;
}

problem checkout_problem(const std::string& id, const order::order_view& view) {
  problem what;
  what.members = obstacles(id, view);
  if (view.status == order::order_status::declined) {
    what.status = 402;
    what.code = "payment_declined";
    what.detail = "the payment was declined";
    return what;
  }
  what.status = view.why == order::rejection::cart_not_found ? 404 : 409;
  what.code = to_string(view.why);
  what.detail = explanation(view.why);
  return what;
}

}  // namespace omnicart::http
