#include "actors/order/order.hpp"

// The stable names of an order's numbers, as shown to people and programs.
namespace omnicart::order {

const char* to_string(errc code) {
  switch (code) {
    case errc::no_such_order:
      return "no_such_order";
    case errc::illegal_step:
      return "illegal_step";
    case errc::not_cancellable:
      return "not_cancellable";
    case errc::conflict:
      return "conflict";
    case errc::no_lines:
      return "no_lines";
    case errc::line_limit:
      return "line_limit";
    case errc::invalid_quantity:
      return "invalid_quantity";
    case errc::quantity_limit:
      return "quantity_limit";
    case errc::no_such_line:
      return "no_such_line";
    case errc::exceeds_left:
      return "exceeds_left";
    case errc::no_such_shipment:
      return "no_such_shipment";
    case errc::no_such_return:
      return "no_such_return";
    case errc::over_refund:
      return "over_refund";
    case errc::record_limit:
      return "record_limit";
    case errc::not_stuck:
      return "not_stuck";
  }
  return "";
}

const char* to_string(step at) {
  switch (at) {
    case step::none:
      return "none";
    case step::sealing:
      return "sealing";
    case step::pricing:
      return "pricing";
    case step::claiming:
      return "claiming";
    case step::backing_off:
      return "backing_off";
    case step::waiting:
      return "waiting";
    case step::charging:
      return "charging";
    case step::voiding:
      return "voiding";
    case step::over:
      return "over";
  }
  return "";
}

const char* to_string(claim_state state) {
  switch (state) {
    case claim_state::idle:
      return "idle";
    case claim_state::to_claim:
      return "to_claim";
    case claim_state::claimed:
      return "claimed";
    case claim_state::refused:
      return "refused";
    case claim_state::to_unclaim:
      return "to_unclaim";
    case claim_state::to_settle:
      return "to_settle";
    case claim_state::settled:
      return "settled";
    case claim_state::to_return:
      return "to_return";
    case claim_state::returned:
      return "returned";
  }
  return "";
}

const char* to_string(order_status status) {
  switch (status) {
    case order_status::pending:
      return "pending";
    case order_status::paid:
      return "paid";
    case order_status::processing:
      return "processing";
    case order_status::shipped:
      return "shipped";
    case order_status::delivered:
      return "delivered";
    case order_status::rejected:
      return "rejected";
    case order_status::declined:
      return "declined";
    case order_status::cancelled:
      return "cancelled";
    case order_status::authorised:
      return "authorised";
  }
  return "";
}

const char* to_string(shipment_status status) {
  switch (status) {
    case shipment_status::shipped:
      return "shipped";
    case shipment_status::delivered:
      return "delivered";
  }
  return "";
}

const char* to_string(return_status status) {
  switch (status) {
    case return_status::requested:
      return "requested";
    case return_status::received:
      return "received";
    case return_status::refused:
      return "refused";
  }
  return "";
}

const char* to_string(refund_status status) {
  switch (status) {
    case refund_status::owed:
      return "owed";
    case refund_status::made:
      return "made";
  }
  return "";
}

const char* to_string(holding state) {
  switch (state) {
    case holding::none:
      return "none";
    case holding::held:
      return "held";
    case holding::to_capture:
      return "to_capture";
    case holding::taken:
      return "taken";
    case holding::lost:
      return "lost";
    case holding::to_void:
      return "to_void";
    case holding::voided:
      return "voided";
  }
  return "";
}

const char* to_string(resolution how) {
  switch (how) {
    case resolution::give_up:
      return "give_up";
    case resolution::refunds_done:
      return "refunds_done";
    case resolution::stock_done:
      return "stock_done";
    case resolution::written_off:
      return "written_off";
  }
  return "";
}

const char* to_string(rejection why) {
  switch (why) {
    case rejection::none:
      return "none";
    case rejection::out_of_stock:
      return "out_of_stock";
    case rejection::price_changed:
      return "price_changed";
    case rejection::total_mismatch:
      return "total_mismatch";
    case rejection::cart_empty:
      return "cart_empty";
    case rejection::checkout_in_progress:
      return "checkout_in_progress";
    case rejection::unknown_product:
      return "unknown_product";
    case rejection::cart_not_found:
      return "cart_not_found";
    case rejection::currency_mismatch:
      return "currency_mismatch";
    case rejection::payment_timeout:
      return "payment_timeout";
    case rejection::total_overflow:
      return "total_overflow";
    case rejection::coupon_refused:
      return "coupon_refused";
    case rejection::gift_card_refused:
      return "gift_card_refused";
    case rejection::not_deliverable:
      return "not_deliverable";
    case rejection::customer_limit:
      return "customer_limit";
  }
  return "";
}

}  // namespace omnicart::order
