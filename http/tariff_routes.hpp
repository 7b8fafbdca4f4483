#pragma once

#include "http/server/router.hpp"
#include "http/shop.hpp"
#include "http/tariff_board.hpp"

namespace omnicart::http {

// The shop's tax rates and shipping methods, each read and set as a whole. Anybody may read them.
class tariff_routes {
 public:
  // Both outlive the routes.
  tariff_routes(const shop& in, tariff_board& board) : shop_(in), board_(board) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> show_taxes(request& req);
  task<response> set_taxes(request& req);
  task<response> show_shipping(request& req);
  task<response> set_shipping(request& req);

  task<answer> get(request& req);
  task<response> set(request& req, const authority& who, const tariff::command& what);

  const shop& shop_;
  tariff_board& board_;
};

}  // namespace omnicart::http
