#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/order/order_events.hpp"
#include "actors/gift_card/gift_card.hpp"
#include "actors/product/product_kind.hpp"
#include "tests/sim/code_sums.hpp"
#include "tests/sim/order_laws.hpp"
#include "tests/sim/order_sum.hpp"
#include "tests/sim/sim_history.hpp"
#include "tests/sim/stock_sum.hpp"
#include "tools/pay/provider_rules.hpp"

namespace omnicart::sim {

// What a shopper was told of an order, last.
struct told_order {
  std::string id;
  std::string reference;
  order::order_view view;
};

// The laws of the books while the story runs: each event is added up once, as it becomes durable,
// so that a law is seen broken at the step that broke it. What takes until everything is at rest
// (who still owes what, both ledgers in full) is looked at then.
class running_books {
 public:
  using violate_fn = std::function<void(const std::string& law, const std::string& detail)>;
  explicit running_books(violate_fn violate) : violate_(std::move(violate)) {}

  // An event that is durable, in order of versions; one that is known already changes nothing.
  void add(const std::string& name, const recorded& event);
  // All that a node has found at its start: what was known is there unchanged, the rest is new.
  void add_all(const history& past);
  // The provider's entries, of which those at the end are new.
  void add(const std::vector<pay::entry>& ledger);

  // What clients were told rests on durable events.
  void told(const told_order& order);
  void cancelled(const std::string& order);
  // What staff were told of parcels, returns and refunds of an order.
  void told_after(const std::string& order, const order::order_view& view);
  void added_to_cart(const std::string& cart, const std::string& tag);
  void refused_to_add(const std::string& tag);
  // Of a stock record at this version, with all locations and transfers.
  void shown(const std::string& product, std::uint64_t version, const stock::stock_view& view);
  void received(const std::string& product, const std::string& transfer, std::int64_t units);
  void recalled(const std::string& product, const std::string& transfer);

  // With everything at rest: coupons, gift cards and refunds are as the orders say.
  void at_rest();
  // Units of an order that came back for the shelf, and what gift cards gave, in minor units.
  std::int64_t shelved(const std::string& order, const std::string& product) const;
  std::int64_t given_by_cards(const std::string& order) const;

 private:
  struct known_events {
    std::uint64_t count = 0;
    std::uint64_t hash = 0;
  };
  struct account {
    std::int64_t captured = 0, refunded = 0;
  };
  void add_cart(const recorded& event);
  void add_product(const std::string& id, const recorded& event);
  void add_order(const std::string& id, const recorded& event);
  void add_stock(const std::string& id, const recorded& event);
  void check_claim(const std::string& product, const std::string& claim, std::int64_t units);
  void check_sale(const std::string& product, const std::string& claim);
  void check_shelf(const std::string& product, const std::string& claim);
  void check_short(const order::state& order, const order::stock_claimed& got);
  void add_entry(const pay::entry& made);
  // running_promotions.cpp
  void add_coupon(const std::string& id, const recorded& event);
  void add_card(const std::string& id, const recorded& event);
  void add_to_sum(const std::string& id, const order::state& now, const order::event& what);
  void check_held(const std::string& order, const order::state& now,
                  const order::promotion_held& e);
  void check_given_back(const std::string& card, const gift_card::gave_back& e);
  void check_refund(const pay::entry& made, const order::state& order);
  void check_paid(const std::string& id, const order::state& order);
  const order::state* find_order(const std::string& id) const;

  const violate_fn violate_;
  std::map<std::string, known_events> known_;  // by "kind/id"
  std::map<std::string, int> adds_;            // by tag: how often it was put into a cart
  std::set<std::string> refused_adds_;
  price_book prices_;
  std::map<std::string, product::state> products_;
  std::map<std::string, order::state> orders_;
  std::map<std::string, std::string> references_;  // of orders, and whose
  std::map<std::string, stock_sum> stocks_;
  std::map<std::string, coupon_sum> coupons_;
  std::map<std::string, card_sum> cards_;
  std::map<std::string, order_sum> sums_;    // of orders
  std::map<std::string, account> accounts_;  // of the provider, by order
  std::size_t entries_ = 0;                  // of the ledger, looked at
};

}  // namespace omnicart::sim
