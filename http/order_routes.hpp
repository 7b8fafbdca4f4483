#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/order/order_messages.hpp"
#include "http/server/router.hpp"
#include "http/tariff_board.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Orders: placing one, reading it, its status and its history.
class order_routes {
 public:
  // Both outlive the routes.
  order_routes(const shop& in, tariff_board& board) : shop_(in), board_(board) {}
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
  response answer_checkout(const request& req, const std::string& id, const answer& got,
                           const std::string& person_key) const;
  // Makes readable what is sealed with its buyer's key; "(erased)" where the key is gone. Nothing, or the fault. `known`:
  // the keys by user, of this request.
  using person_keys = std::map<std::string, std::string>;
  task<std::optional<error>> readable(order::reply& view, person_keys& known);
  task<response> change(request& req, const order::command& what);
  // `ids` are orders that the caller may see.
  task<tl::expected<std::string, response>> page_json(request& req, std::vector<std::string> ids,
                                                      std::string next_cursor);

  // The shop's terms for the order's destination, if it has any; or why the order cannot be placed so.
  task<std::optional<response>> take_terms(request& req, const authority& who, order::place& wanted);

  const shop& shop_;
  tariff_board& board_;
};

}  // namespace omnicart::http
