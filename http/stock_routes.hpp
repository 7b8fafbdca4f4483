#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/session/session_messages.hpp"
#include "actors/stock/stock_messages.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Inventory: figures, counts and corrections, terms, what is low, a session's holds, and every movement.
class stock_routes {
 public:
  explicit stock_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> show(request& req);
  task<response> set(request& req);
  task<response> set_terms(request& req);
  task<response> list_low(request& req);
  task<response> reserve(request& req);
  task<response> release(request& req);
  task<response> extend(request& req);
  task<response> history(request& req);

  // What a session holds is counted by the session, over all products: before the stock is asked,
  // until the hold ends. Nothing for a caller without session; time 0 when there are ten already.
  using counted = tl::expected<std::optional<timestamp_ms>, response>;
  task<counted> count_hold(request& req, const caller& who, const session::hold& what);
  // Of those that the session names, drops the ones their stocks no longer know. True: there were
  // some.
  task<bool> drop_ended(const caller& who, const std::vector<session::counted_hold>& named);
  task<void> drop_hold(const caller& who, const reservation_id& reservation);

  const shop& shop_;
};

}  // namespace omnicart::http
