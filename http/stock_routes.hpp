#pragma once

#include <string>

#include "actors/stock/stock_messages.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Inventory: figures, counts and corrections, a session's holds, and every movement.
class stock_routes {
 public:
  explicit stock_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> show(request& req);
  task<response> set(request& req);
  task<response> reserve(request& req);
  task<response> release(request& req);
  task<response> extend(request& req);
  task<response> history(request& req);

  // 404 for a product that never was.
  task<std::optional<response>> unknown_product(request& req, const std::string& id);

  const shop& shop_;
};

}  // namespace omnicart::http
