#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tools/load/coroutine.hpp"
#include "tools/load/shop.hpp"

namespace omnicart::load::testing {

// How the fake misbehaves. Each is a lie or a failure that one law, or the retries, must catch.
struct mischief {
  bool loses_an_order = false;  // tells the client, forgets it afterwards
  bool lists_an_order_twice = false;
  bool changes_a_total = false;       // in the list
  bool makes_a_second_order = false;  // for the first reference, telling nobody
  bool keeps_sold_stock = false;      // on_hand does not go down
  bool oversells = false;             // never says out_of_stock
  bool leaves_a_hold = false;
  bool captures_twice = false;
  bool drops_a_line = false;  // one add is acknowledged and forgotten
  bool breaks_own_law = false;
  bool refuses_a_product = false;
  int drop_every = 0;    // every n-th request is carried out, but its connection is cut unanswered
  int refuse_every = 0;  // every n-th request gets 503 and has no effect
  // At the n-th request all connections are cut and the door is shut, for a moment or for good.
  int goes_away_at = 0;
  bool stays_away = false;
  int expire_staff_every = 0;  // every n-th staff request gets 401 until a new token is issued
  // Against what a storefront's visitors were shown and promised.
  bool shows_dear_hits = false;  // takes no notice of the prices asked for
  bool ignores_sorting = false;
  bool miscounts_facets = false;
  bool suggests_too_much = false;
  bool miscounts_totals = false;  // of orders and carts, by a penny of tax
  bool sells_coupons_again = false;
  bool forgets_uses = false;      // of coupons
  bool keeps_gift_money = false;  // the card pays, and is worth as much as before
  bool refunds_too_much = false;
  bool forgets_gift_refunds = false;  // says that a card gets its part back, and keeps it
  bool forgets_to_restock = false;
  bool charges_declined = false;
};

// Percent-encoding undone.
std::string decoded(const std::string& text);

// A whole shop in memory behind real sockets on the test's own io_context: public API, operator's
// port and provider on one loopback port. Knows what omnicart-load asks, nothing more.
class fake_shop {
 public:
  fake_shop(asio::io_context& io, mischief how);
  ~fake_shop();
  std::string url() const;
  // Closes the door and all connections, so that the io_context can end.
  void stop();

  struct line {
    std::string product;
    std::int64_t quantity;
    std::int64_t pence;
  };
  struct order {
    std::string id, status, reference;
    std::vector<line> lines;
    std::int64_t total = 0;
    std::vector<std::int64_t> off = {}, tax = {};  // by line
    std::int64_t shipping = 0;                     // of the first line
    std::vector<std::string> coupons = {};
    std::map<std::string, std::int64_t> gifts = {}, gifts_back = {};
    std::int64_t captured = 0, refunded = 0;
    struct sent_back {
      std::size_t line = 0;
      std::int64_t units = 0;
      bool received = false, restocked = false;
    };
    std::vector<sent_back> returns = {};

    std::int64_t due() const;  // what gift cards leave
  };
  std::vector<order> orders;
  std::map<std::string, std::int64_t> stock;
  std::map<std::string, std::int64_t> prices;
  std::map<std::string, std::string> categories, brands;  // by product
  std::map<std::string, std::vector<line>> carts;
  std::string taxes = "{}", shipping = "{}";  // as they were put
  int adds = 0;                               // carried out
  int sessions = 0;
  int requests = 0;
  std::set<std::string> seen_paths;

  // An answer: status and body; status 0 cuts the connection.
  struct reply {
    int status = 200;
    std::string body;
  };
  struct asked {
    std::string method, path, query, body, key, token;
  };
  reply handle(const asked& what);

 private:
  struct door;
  reply answer(const asked& what);
  reply once(const asked& what);
  reply add_items(const std::string& cart, const asked& what);
  reply place(const asked& what);
  reply list_orders(const asked& what) const;
  reply operate(const asked& what);
  // fake_offers.cpp
  reply find_products(const asked& what) const;
  reply suggest() const;
  reply terms(const asked& what);
  reply offers(const asked& what);
  reply enter_code(const std::string& cart, const asked& what);
  reply drop_code(const std::string& cart, const asked& what);
  reply after_order(const asked& what);
  std::string show_cart(const std::string& cart) const;
  // What it costs; answers the codes that cannot be taken.
  struct wishes {
    std::set<std::string> coupons, cards;
  };
  std::vector<std::string> price(order& made, const wishes& with) const;
  void take_promised(const order& made);
  std::string order_json(const order& made, std::int64_t lie = 0) const;

  mischief how_;
  std::map<std::string, reply> receipts_;
  struct coupon {
    bool percentage = false;
    std::int64_t amount = 0;  // or basis points
    std::int64_t limit = 0;
    std::int64_t used = 0;
  };
  struct gift_card {
    std::int64_t value = 0;
    std::int64_t balance = 0;
  };
  std::map<std::string, wishes> wishes_;  // by cart
  std::map<std::string, coupon> coupons_;
  std::map<std::string, gift_card> cards_;
  int terms_version_ = 0;
  std::int64_t refunded_ = 0;
  std::int64_t captured_ = 0;
  std::int64_t captures_ = 0;
  int staff_requests_ = 0;
  int staff_token_ = 0;
  std::shared_ptr<door> door_;
};

}  // namespace omnicart::load::testing
