#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/cart/cart_messages.hpp"
#include "http/cart_json.hpp"
#include "http/cart_quote.hpp"
#include "http/server/problem.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Carts under their three addresses: /api/cart (the caller's), /api/cart/{user_id} and /api/carts/{cart_id}.
class cart_routes {
 public:
  // Both outlive the routes.
  cart_routes(const shop& in, tariff_board& board) : shop_(in), board_(board) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  // The cart a request means, and who asks.
  struct addressed {
    authority who;
    std::string cart;
  };
  struct wanted {
    std::string product;
    std::int64_t quantity = 0;
    std::optional<money> unit_price;  // negotiated, staff only
    std::optional<currency_code> currency;  // of the product's prices; none: its own, or the cart's
  };

  // What a body asks for, as far as can be said before it is known who asks.
  struct wanted_items {
    std::vector<wanted> items;
    std::vector<field_error> errors;
    how_many asked = how_many::one;
  };

  task<response> show(request& req);
  task<response> create(request& req);
  task<response> add(request& req);
  task<response> set_by_product(request& req);
  task<response> set_by_line(request& req);
  task<response> remove_by_product(request& req);
  task<response> remove_line(request& req);
  task<response> clear(request& req);
  // cart_promotions.cpp
  task<response> add_coupon(request& req);
  task<response> drop_coupon(request& req);
  task<response> add_gift_card(request& req);
  task<response> drop_gift_card(request& req);
  task<response> choose_shipping(request& req);
  task<response> use_code(request& req, cart::code_kind kind);
  task<response> drop_code(request& req, cart::code_kind kind);

  task<tl::expected<addressed, response>> address(request& req, beside* with = nullptr);
  wanted_items read_items(const request& req) const;
  // Only staff may set a price.
  static void refuse_prices(wanted_items& of);
  // Asks the products for names and list prices.
  std::vector<envelope> quotes_of(const std::vector<wanted>& items) const;
  // The lines to add, from the answers to quotes_of(items).
  tl::expected<std::vector<cart::new_line>, response> price(const request& req, const std::vector<wanted>& items,
                                                            const std::vector<answer>& quotes) const;
  // Sends to the cart; a cart nobody has used yet is opened first if its session or user is known.
  task<answer> ask_cart(const addressed& at, const cart::command& what, command_options options);
  task<bool> open_if_known(const std::string& cart);
  // Whether the items were refused for their currency alone, and now ask for the cart's.
  static bool take_currency(std::vector<wanted>& items, const answer& got);
  // The answer to a repeated addition whose products cannot be priced any more, else `refusal`.
  task<response> added_before(request& req, const addressed& at, const std::vector<wanted>& items,
                              const command_options& options, how_many many, response& refusal);
  task<response> change(request& req, const cart::command& what);
  task<response> answer_change(request& req, const addressed& at, const answer& got, int status, how_many asked);
  // The same where the cart comes to more or less than its lines: priced as it is by now.
  task<response> priced_change(const addressed& at, const cart::change_view& changed, const answer& got, int status,
                               how_many asked);
  // Of a change that was made, but what the cart comes to could not be found out.
  response unpriced_change(const cart::change_view& changed, const answer& got, int status, how_many asked,
                           const error& why) const;
  // The whole cart, with what it comes to.
  task<response> priced_cart(request& req, const addressed& at, const answer& got, int status);

  const shop& shop_;
  tariff_board& board_;
};

}  // namespace omnicart::http
