#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/order/order_messages.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Orders: placing one, reading it, its status and its history.
class order_routes {
 public:
  explicit order_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> place(request& req);
  task<response> list(request& req);
  task<response> show(request& req);
  task<response> set_status(request& req);
  task<response> cancel(request& req);
  task<response> history(request& req);

  tl::expected<order::place, response> read_place(const request& req, const authority& who) const;
  // 404 when the order is for a user who does not exist.
  task<std::optional<response>> unknown_buyer(request& req, const authority& who, const caller& buyer);
  // The order of this caller and key; that of an absorbed guest session, if it placed one with the key.
  task<std::string> order_of_key(const authority& who, const std::string& key);
  response answer_checkout(const request& req, const std::string& id, const answer& got) const;
  task<response> change(request& req, const order::command& what, role least);
  // `ids` are orders that the caller may see.
  task<tl::expected<std::string, response>> page_json(request& req, std::vector<std::string> ids,
                                                      std::string next_cursor);

  const shop& shop_;
};

}  // namespace omnicart::http
