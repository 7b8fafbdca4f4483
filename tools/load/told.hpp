#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runtime/base/money.hpp"

// The books: what the clients of a run were told, what the shop says afterwards, and the laws that
// tie them. Pure: no I/O here, so each law can be tested with a shop that cheats.
namespace omnicart::load {

// An order as an answer shows it.
struct order_record {
  std::string id;
  std::string status;
  std::string reference;
  money total;
  std::int64_t lines = 0;  // items
  std::int64_t units = 0;  // their quantities
  std::vector<std::pair<std::string, std::int64_t>>
      items;  // product and quantity; empty in some lists
  std::vector<std::string> coupons = {};
  std::vector<std::pair<std::string, std::int64_t>> gift_cards = {};  // code and what it paid
  std::vector<std::pair<std::string, std::int64_t>> gift_refunds = {};  // code and what it has back
  std::int64_t captured_minor = 0;
  std::int64_t refunded_minor = 0;  // by the provider
  std::vector<std::pair<std::string, std::int64_t>> restocked =
      {};                         // product and units that came back to the shelf
  std::string price_fault = {};  // see order_prices.hpp

  // What the provider is to be paid: gift cards are money.
  std::int64_t charged_minor() const;
};

// Refusals (nothing): an answer that is no order.
std::optional<order_record> parse_order(std::string_view json);

struct order_page {
  std::vector<order_record> orders;
  std::string next_cursor;  // empty at the end
};
std::optional<order_page> parse_order_page(std::string_view json);

// True for a status in which the shop has taken the money.
bool is_sale(std::string_view status);

// What the clients were told.
class told {
 public:
  // A final answer "this order is paid". Told twice (two carts, one order) is remembered and breaks
  // a law.
  void sold(const order_record& order);
  // A reference that was sent with an order, whatever came of it.
  void used(std::string reference) { references_.insert(std::move(reference)); }
  // No final answer came: the order may exist or not.
  void in_doubt(const std::string& reference, std::int64_t amount_minor,
                const std::vector<std::pair<std::string, std::int64_t>>& items);
  // A final answer "the order is on its way": its status is now another.
  void shipped(const std::string& order_id, std::string status);
  // A final answer "so many units are back on the shelf".
  void gave_back(const std::string& product, std::int64_t count) { returned_units_[product] += count; }
  // The shop's answer contradicts what the client did (another total, another number of units).
  void contradicted(std::string why);

  struct sold_order {
    std::string status;
    std::string reference;
    money total;
  };
  const std::unordered_map<std::string, sold_order>& orders() const { return orders_; }
  bool knows(const std::string& reference) const { return references_.contains(reference); }
  bool doubts(const std::string& reference) const { return doubts_.contains(reference); }
  const std::vector<std::string>& contradictions() const { return contradictions_; }
  std::int64_t sold_units_of(const std::string& product) const;
  std::int64_t doubtful_units_of(const std::string& product) const;
  std::int64_t returned_units_of(const std::string& product) const;

  std::int64_t lines = 0;  // of all orders
  std::int64_t units = 0;
  money gross;  // currency of the first order
  std::int64_t charged_minor = 0;   // of the gross, by the provider
  std::int64_t charged_orders = 0;  // that had something for it to charge
  std::int64_t doubtful_minor = 0;
  std::int64_t told_twice = 0;
  std::int64_t refunded_minor = 0;       // by the provider
  std::int64_t gift_refunded_minor = 0;  // to gift cards

 private:
  std::unordered_map<std::string, sold_order> orders_;
  std::unordered_set<std::string> references_;
  std::unordered_set<std::string> doubts_;
  std::unordered_map<std::string, std::int64_t> sold_units_;
  std::unordered_map<std::string, std::int64_t> doubtful_units_;
  std::unordered_map<std::string, std::int64_t> returned_units_;
  std::vector<std::string> contradictions_;
};

struct stock_record {
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  std::int64_t available = 0;
};
std::optional<stock_record> parse_stock(std::string_view json);

// What staff see of a coupon and of a gift card.
struct coupon_record {
  std::int64_t used = 0;
  std::int64_t held = 0;
};
std::optional<coupon_record> parse_coupon(std::string_view json);
struct gift_card_record {
  std::int64_t balance_minor = 0;
  std::int64_t held_minor = 0;
};
std::optional<gift_card_record> parse_gift_card(std::string_view json);

// The provider's sums of one currency.
struct provider_sums {
  std::int64_t captures = 0;
  std::int64_t captured_minor = 0;
  std::int64_t refunded_minor = 0;
};
std::optional<provider_sums> parse_provider_sums(std::string_view json, currency_code currency);

// What the shop says afterwards.
struct read_back {
  std::vector<order_record> orders;             // newer than the run's beginning
  std::map<std::string, std::int64_t> stocked;  // on_hand at the beginning, by product
  std::map<std::string, stock_record> stock;    // now
  std::map<std::string, coupon_record> coupons = {};
  std::map<std::string, gift_card_record> gift_cards = {};
  std::optional<provider_sums> provider_before;
  std::optional<provider_sums> provider_after;
};

struct law {
  std::string name;
  bool holds = true;
  std::string why;  // the first thing found against it
};

// The laws, of what was told against what was read back:
//   told_orders_exist_once  each order a client was told of is listed, once, and was told to one
//   told_orders_agree       with the status, total and reference that were told
//   no_untold_order         no other sale has a reference of this run, or at most one for a doubt
//   gross_agrees            the listed totals add up to what was told
//   answers_agree           no answer contradicted what its client had done
//   stock_agrees            on_hand = stocked - units told as sold (less doubts) + units told as back, nothing is held
//   no_oversell             on_hand = available + reserved, and available >= 0
//   provider_agrees         captured - refunded since then = gross less gift cards - told refunds; one capture for each
//                           order that had something to pay, and for each that was charged and is no sale
std::vector<law> check_laws(const told& clients, const read_back& shop);

}  // namespace omnicart::load
