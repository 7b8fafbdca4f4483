#include "tools/omnicartd/kinds.hpp"

#include "actors/audit/audit_kind.hpp"
#include "actors/cart/cart_kind.hpp"
#include "actors/cluster/cluster_kind.hpp"
#include "actors/coupon/coupon_kind.hpp"
#include "actors/email/email_kind.hpp"
#include "actors/gift_card/gift_card_kind.hpp"
#include "actors/keyring/keyring_kind.hpp"
#include "actors/location/location_kind.hpp"
#include "actors/order/order_kind.hpp"
#include "actors/product/product_kind.hpp"
#include "actors/reviews/reviews_kind.hpp"
#include "actors/session/session_kind.hpp"
#include "actors/tariff/tariff_kind.hpp"
#include "actors/user/user_kind.hpp"
#include "tools/omnicartd/marked_stock.hpp"

namespace omnicart::node {

// One line each.
kind_registry all_kinds(const config::options& options) {
  return kind_registry({
      kind_of<audit::kind>(),
      kind_of<cart::kind>({.abandoned_after = std::chrono::seconds(options.sessions.guest_ttl_s)}),
      kind_of<cluster_record::kind>(),
      kind_of<coupon::kind>(),
      kind_of<email::kind>(),
      kind_of<gift_card::kind>(),
      kind_of<keyring::kind>(),
      kind_of<location::kind>(),
      kind_of<order::kind>(),
      kind_of<product::kind>(),
      kind_of<reviews::kind>(),
      kind_of<session::kind>(),
      kind_of<marked_stock>(),
      kind_of<tariff::kind>(),
      kind_of<user::kind>(),
  });
}

}  // namespace omnicart::node
