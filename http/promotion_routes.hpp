#pragma once

#include <string>

#include "actors/coupon/coupon_messages.hpp"
#include "actors/gift_card/gift_card_messages.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Coupons and gift cards, for the shop's staff: admins make and block them, support may look. What
// shoppers do with them is the cart's (cart_promotions.cpp).
class promotion_routes {
 public:
  explicit promotion_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> define_coupon(request& req);
  task<response> list_coupons(request& req);
  task<response> show_coupon(request& req);
  task<response> switch_coupon(request& req);
  task<response> coupon_history(request& req);
  task<response> issue_card(request& req);
  task<response> list_cards(request& req);
  task<response> show_card(request& req);
  task<response> switch_card(request& req);
  task<response> card_history(request& req);

  task<response> list(request& req, std::string kind);
  task<response> show(request& req, std::string kind);
  task<response> history(request& req, std::string kind);
  // {status: enabled | disabled}
  task<response> switch_one(request& req, std::string kind);

  const shop& shop_;
};

}  // namespace omnicart::http
