#include <string>

#include "actors/audit/audit_messages.hpp"
#include "actors/cart/cart_messages.hpp"
#include "actors/cluster/cluster_messages.hpp"
#include "actors/coupon/coupon_messages.hpp"
#include "actors/email/email_messages.hpp"
#include "actors/gift_card/gift_card_messages.hpp"
#include "actors/keyring/keyring_messages.hpp"
#include "actors/location/location_messages.hpp"
#include "actors/order/order_messages.hpp"
#include "actors/payment/payment_messages.hpp"
#include "actors/product/product_messages.hpp"
#include "actors/reviews/reviews_messages.hpp"
#include "actors/session/session_messages.hpp"
#include "actors/stock/stock_messages.hpp"
#include "actors/tariff/tariff_messages.hpp"
#include "actors/user/user_messages.hpp"
#include "http/code_explanations.hpp"
#include "http/leader_hint.hpp"
#include "http/server/problem.hpp"
#include "http/shop.hpp"

namespace omnicart::http {
namespace {

// One exhaustive switch per module: a new code breaks the build here.
int status_of(base_errc code) {
  switch (code) {
    case base_errc::malformed: return 400;
    case base_errc::precondition_failed: return 412;
    case base_errc::id_reused: return 422;
    case base_errc::not_found: return 404;
    case base_errc::forbidden: return 403;
    case base_errc::overflow: return 422;
    case base_errc::unknown_kind: return 404;
    case base_errc::in_progress: return 409;
    case base_errc::overloaded: return 503;
    case base_errc::timeout: return 504;
    case base_errc::unavailable: return 503;
    case base_errc::storage_full: return 503;
    case base_errc::shutting_down: return 503;
    case base_errc::expired: return 503;
    case base_errc::unknown_outcome: return 503;
    case base_errc::io: return 500;
  }
  return 500;
}

int status_of(cart::errc code) {
  switch (code) {
    case cart::errc::invalid_quantity: return 422;
    case cart::errc::line_limit: return 422;
    case cart::errc::quantity_limit: return 422;
    case cart::errc::no_such_line: return 404;
    case cart::errc::empty: return 409;
    case cart::errc::checkout_in_progress: return 409;
    case cart::errc::currency_mismatch: return 422;
    case cart::errc::closed: return 410;
    case cart::errc::already_open: return 409;
    case cart::errc::no_such_code: return 404;
    case cart::errc::code_limit: return 422;
  }
  return 500;
}

int status_of(stock::errc code) {
  switch (code) {
    case stock::errc::invalid_quantity: return 422;
    case stock::errc::out_of_stock: return 409;
    case stock::errc::contended: return 409;
    case stock::errc::below_reserved: return 409;
    case stock::errc::no_such_reservation: return 404;
    case stock::errc::reservation_conflict: return 409;
    case stock::errc::hold_limit: return 422;
    case stock::errc::invalid_duration: return 422;
    case stock::errc::quantity_limit: return 422;
    case stock::errc::not_there: return 409;
    case stock::errc::invalid_terms: return 422;
    case stock::errc::customer_limit: return 409;
    case stock::errc::customer_count_full: return 409;
    case stock::errc::no_such_transfer: return 404;
    case stock::errc::transfer_conflict: return 409;
    case stock::errc::transfer_limit: return 409;
    case stock::errc::place_limit: return 409;
  }
  return 500;
}

int status_of(product::errc code) {
  switch (code) {
    case product::errc::invalid_name: return 422;
    case product::errc::invalid_price: return 422;
    case product::errc::retired: return 404;
    case product::errc::already_exists: return 409;
    case product::errc::invalid_details: return 422;
    case product::errc::no_such_product: return 404;
    case product::errc::no_such_price: return 422;
  }
  return 500;
}

int status_of(order::errc code) {
  switch (code) {
    case order::errc::no_such_order: return 404;
    case order::errc::illegal_step: return 409;
    case order::errc::not_cancellable: return 409;
    case order::errc::conflict: return 422;
    case order::errc::no_lines: return 422;
    case order::errc::line_limit: return 422;
    case order::errc::invalid_quantity: return 422;
    case order::errc::quantity_limit: return 422;
    case order::errc::no_such_line: return 404;
    case order::errc::exceeds_left: return 409;
    case order::errc::no_such_shipment: return 404;
    case order::errc::no_such_return: return 404;
    case order::errc::over_refund: return 422;
    case order::errc::record_limit: return 422;
    case order::errc::not_stuck: return 409;
  }
  return 500;
}

int status_of(session::errc code) {
  switch (code) {
    case session::errc::already_open: return 409;
    case session::errc::revoked: return 401;
    case session::errc::expired: return 401;
    case session::errc::bad_refresh_token: return 401;
    case session::errc::no_such_session: return 404;
    case session::errc::hold_limit: return 422;
    case session::errc::taken_over: return 409;
  }
  return 500;
}

int status_of(user::errc code) {
  switch (code) {
    case user::errc::email_taken: return 409;
    case user::errc::no_such_user: return 404;
    case user::errc::disabled: return 403;
    case user::errc::conflict: return 422;
    case user::errc::invalid_profile: return 422;
    case user::errc::password_changed: return 409;
    case user::errc::invalid_ticket: return 422;
    case user::errc::too_many_guests: return 409;
  }
  return 500;
}

int status_of(email::errc code) {
  switch (code) {
    case email::errc::taken: return 409;
    case email::errc::unclaimed: return 404;
  }
  return 500;
}

int status_of(payment::errc code) {
  switch (code) {
    case payment::errc::key_reused: return 422;
    case payment::errc::voided: return 409;
    case payment::errc::not_captured: return 409;
    case payment::errc::over_refund: return 422;
    case payment::errc::captured: return 409;
    case payment::errc::unknown_method: return 422;
    case payment::errc::not_authorised: return 409;
  }
  return 500;
}

int status_of(coupon::errc code) {
  switch (code) {
    case coupon::errc::no_such_coupon: return 404;
    case coupon::errc::coupon_exists: return 409;
    case coupon::errc::coupon_disabled: return 409;
    case coupon::errc::coupon_not_yet_valid: return 409;
    case coupon::errc::coupon_expired: return 409;
    case coupon::errc::coupon_used_up: return 409;
    case coupon::errc::coupon_in_use: return 409;
    case coupon::errc::coupon_customer_limit: return 409;
    case coupon::errc::invalid_coupon: return 422;
    case coupon::errc::coupon_released: return 409;
  }
  return 500;
}

int status_of(gift_card::errc code) {
  switch (code) {
    case gift_card::errc::no_such_gift_card: return 404;
    case gift_card::errc::gift_card_exists: return 409;
    case gift_card::errc::gift_card_disabled: return 409;
    case gift_card::errc::gift_card_expired: return 409;
    case gift_card::errc::gift_card_spent: return 409;
    case gift_card::errc::gift_card_in_use: return 409;
    case gift_card::errc::gift_card_currency: return 422;
    case gift_card::errc::invalid_gift_card: return 422;
    case gift_card::errc::gift_card_released: return 409;
  }
  return 500;
}

int status_of(tariff::errc code) {
  switch (code) {
    case tariff::errc::invalid_tax_rates: return 422;
    case tariff::errc::invalid_shipping_methods: return 422;
  }
  return 500;
}

int status_of(location::errc code) {
  switch (code) {
    case location::errc::no_such_location: return 404;
    case location::errc::invalid_location: return 422;
  }
  return 500;
}

int status_of(reviews::errc code) {
  switch (code) {
    case reviews::errc::invalid_rating: return 422;
    case reviews::errc::invalid_text: return 422;
    case reviews::errc::full: return 409;
  }
  return 500;
}

int status_of(cluster_record::errc code) {
  using cluster_record::errc;
  switch (code) {
    case errc::not_founded: return 409;
    case errc::already_founded: return 409;
    case errc::no_such_node: return 404;
    case errc::node_exists: return 409;
    case errc::another_store: return 409;
    case errc::node_removed: return 409;
    case errc::name_taken: return 409;
    case errc::address_taken: return 409;
    case errc::too_many_nodes: return 409;
    case errc::illegal_state: return 409;
    case errc::last_node: return 409;
    case errc::still_placed: return 409;
    case errc::no_majority: return 409;
    case errc::not_placeable: return 409;
    case errc::not_a_replica: return 409;
    case errc::no_such_shard: return 404;
    case errc::invalid_settings: return 422;
    case errc::invalid_key: return 422;
  }
  return 500;
}

int status_of(audit::errc code) {
  switch (code) {
    case audit::errc::no_such_action: return 404;
  }
  return 500;
}

int status_of(keyring::errc code) {
  switch (code) {
    case keyring::errc::too_many_keys: return 409;
    case keyring::errc::no_such_key: return 404;
    case keyring::errc::key_exists: return 409;
    case keyring::errc::invalid_key: return 422;
  }
  return 500;
}

struct mapped {
  int status = 500;
  const char* code = "internal";
};

template <class E>
mapped map(error_number number) {
  const auto code = static_cast<E>(number);
  const char* name = to_string(code);
  return *name ? mapped{status_of(code), name} : mapped{};
}

// The ranges of runtime/base/result.hpp.
mapped map(error_number number) {
  switch (number / 100) {
    case 0: return map<base_errc>(number);
    case 1: return map<cart::errc>(number);
    case 2: return map<stock::errc>(number);
    case 3: return map<product::errc>(number);
    case 4: return map<order::errc>(number);
    case 5: return map<session::errc>(number);
    case 6: return map<user::errc>(number);
    case 7: return map<email::errc>(number);
    case 8: return map<payment::errc>(number);
    case 10: return map<cluster_record::errc>(number);
    case 13: return map<coupon::errc>(number);
    case 14: return map<gift_card::errc>(number);
    case 15: return map<audit::errc>(number);
    case 16: return map<keyring::errc>(number);
    case 17: return map<tariff::errc>(number);
    case 18: return map<location::errc>(number);
    case 19: return map<reviews::errc>(number);
    default: return {};
  }
}

}  // namespace

std::string_view problem_code(const error& why) { return map(why.number).code; }

response failure_response(const error& why, const request& req) { return failure_response(why, req, {}); }

response failure_response(const error& why, const request& req, std::string_view members) {
  const mapped to = map(why.number);
  problem what;
  what.status = to.status;
  what.code = to.code;
  // A fault's detail is for the operator's log, not for strangers.
  what.detail = is_fault(why.number) || to.status >= 500 ? "" : why.detail;
  if (what.detail.empty()) what.detail = explanation_of(to.code);
  what.retryable = is_fault(why.number);
  if (to.status == 503 || to.status == 409) what.retry_after_s = what.retryable ? 1 : 0;
  what.members = members.empty() ? leader_member(why) : std::string(members);
  return problem_response(what, req.request_id);
}

}  // namespace omnicart::http
