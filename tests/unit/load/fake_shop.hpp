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
};

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
  };
  std::vector<order> orders;
  std::map<std::string, std::int64_t> stock;
  std::map<std::string, std::int64_t> prices;
  std::map<std::string, std::vector<line>> carts;
  int adds = 0;  // carried out
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
  std::string order_json(const order& made, std::int64_t lie = 0) const;

  mischief how_;
  std::map<std::string, reply> receipts_;
  std::int64_t captured_ = 0;
  std::int64_t captures_ = 0;
  int staff_requests_ = 0;
  int staff_token_ = 0;
  std::shared_ptr<door> door_;
};

}  // namespace omnicart::load::testing
