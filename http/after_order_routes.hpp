#pragma once

#include <string>

#include "actors/order/order_messages.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// What follows once an order stands: shipments, returns, refunds, notes, and the order's own ledger.
class after_order_routes {
 public:
  explicit after_order_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> ship(request& req);
  task<response> deliver(request& req);
  task<response> ask_return(request& req);
  task<response> close_return(request& req);
  task<response> refund(request& req);
  task<response> add_note(request& req);
  task<response> notes(request& req);
  task<response> payments(request& req);

  using writer = std::string (*)(const std::string& order_id, const order::order_view& view, std::uint32_t number);
  struct deed {
    order::command what;
    writer show;               // of the record it made, or of `number`
    std::uint32_t number = 0;  // 0: the command makes one
    const char* path = "";     // of a record that is made, below the order's
    bool key_required = false;
    bool waits = false;  // for refunds to be made
  };
  // Asks the order, as whom the caller counts for it, and answers with the record. `what` outlives the task.
  task<response> carry_out(request& req, const authority& who, const deed& what);
  task<tl::expected<order::order_view, response>> read_order(request& req, const std::string& id);

  const shop& shop_;
};

}  // namespace omnicart::http
