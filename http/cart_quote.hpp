#pragma once

#include <utility>

#include <optional>
#include <string>
#include <vector>

#include "actors/cart/cart_messages.hpp"
#include "actors/order/order_messages.hpp"
#include "actors/pricing/pricing.hpp"
#include "http/shop.hpp"
#include "http/tariff_board.hpp"

namespace omnicart::http {

// What a cart would come to if it were checked out now.
struct cart_quote {
  std::optional<pricing::breakdown> prices;  // none: an empty cart
  std::vector<std::string> coupons;          // that apply
  std::vector<order::gift_payment> gifts;    // what each card would pay
  std::vector<order::refused_code> refused;
};

// Asks products, coupons and gift cards, and prices the cart as its order would be. Nothing for a
// cart without codes in a shop that neither taxes nor ships: it comes to the sum of its lines.
// Holds nothing: a checkout may find a coupon gone. Costs a question per product. Faults: those of
// what was asked.
task<result<std::optional<cart_quote>>> quote_cart(const shop& in, tariff_board& board,
                                                   const caller& who, const cart::cart_view& cart);

}  // namespace omnicart::http
