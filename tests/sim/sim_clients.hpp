#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/cart/cart_messages.hpp"
#include "actors/order/order_messages.hpp"
#include "tests/sim/sim_client.hpp"

namespace omnicart::sim {

struct crowd_plan {
  std::uint32_t shoppers = 4;
  std::uint32_t products = 3;
  std::uint32_t actions = 40;           // per shopper
  std::int64_t stock = 20;              // of each product at first: scarce or not
  std::uint32_t locations = 0;          // that units may be at, besides none
  std::uint32_t reckless_percent = 30;  // of the shoppers give up now and then
  std::uint32_t codes = 0;              // coupons, and as many gift cards; 0: no terms either
  duration_ms long_pause{60'000};       // at most; most pauses are short
};

// A guest: opens a session, fills its cart, reserves, checks out, cancels, and keeps its own book
// of what it was told. `ordered` hears of each order that was accepted.
class shopper final : public sim_client {
 public:
  shopper(timeline& time, wire& node, sim_checks& checks, std::string name, const crowd_plan& plan,
          bool careful, std::function<void(const std::string&)> ordered);
  void start();
  bool finished() const { return finished_; }
  // With everything at rest: the cart once more.
  void look_back() {
    look_at_cart([] {});
  }
  // Orders that sold something, as far as this shopper knows.
  const std::vector<std::string>& orders() const { return orders_; }

 private:
  // Units by product and price, of a cart that only this shopper changes. Kept while every outcome
  // is known.
  using cart_book = std::map<std::pair<std::string, std::int64_t>, std::int64_t>;

  void rest();
  void act();
  void add_lines(std::function<void()> then);
  void add_at(const std::string& product, money price, std::function<void()> then);
  void set_quantity();
  void clear_cart();
  void look_at_cart(std::function<void()> then);
  void reserve();
  void change_reservation();
  void repeat_something();
  void reuse_a_key();
  void check_out(bool from_cart);
  std::shared_ptr<order::place> draw_order(bool from_cart);
  void draw_codes(order::place& order);
  void place(const std::shared_ptr<order::place>& order, std::function<void()> then);
  void follow(const std::shared_ptr<order::place>& order, const operation_ptr& placed,
              const answer& got, const std::function<void()>& then);
  void settled(const order::place& placed, const order::order_view& view);
  void await_unsealed();
  void cancel_an_order();
  void book_orders(const cart::cart_view& shown);
  void take_over_prices(const cart::cart_view& shown);
  void compare(const cart::cart_view& view);
  payment::method draw_payment();
  std::string draw_product();
  operation_ptr keyed_ask(std::string label, entity_ref to, std::string command,
                          std::function<void(const answer&)> known);
  // The shopper goes on when the operation is known or given up.
  void do_and_rest(const operation_ptr& what);

  const crowd_plan plan_;
  const bool careful_;
  const std::string session_;
  const std::string email_;  // some share one: to the shop they are one customer
  const std::function<void(const std::string&)> ordered_;
  std::uint32_t left_;
  bool finished_ = false;
  cart_book book_;
  std::optional<cart::cart_view> last_cart_;
  std::vector<operation_ptr> past_;
  std::vector<std::pair<std::string, std::string>> holds_;  // product, reservation
  std::vector<std::string> orders_;                         // that sold something
  std::vector<order::order_view> unbooked_;                 // of orders of the cart
  std::uint32_t meanwhile_ = 0;                             // other commands to the cart under way
};

std::string product_name(std::uint32_t number);
std::string coupon_code(std::uint32_t number);
std::string card_code(std::uint32_t number);
// What the shop adds to orders that have a destination: a tax, and shipping for small ones.
pricing::terms shop_terms();

}  // namespace omnicart::sim
