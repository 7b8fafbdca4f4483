#pragma once

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
  // The order of this caller and key; that of an absorbed guest session, if it placed one with the key. Fault: of that
  // order's entity, for nobody can tell then.
  struct keyed_order {
    std::string id;
    std::string guest = {};  // who placed it
    bool in_clear = false;   // by a build that sealed no guest's orders
  };
  task<result<keyed_order>> order_of_key(const authority& who, const std::string& key);
  // The same of an order that staff place for somebody without an account. Faults: of its entities.
  task<result<keyed_order>> order_by_telephone(const authority& who, const std::string& key);
  // Seals the buyer's personal data with their key, which is given back: empty when there is nobody to seal it for.
  // Refusal: not_found when the account or the session came to its end meanwhile.
  task<result<std::string>> key_to_seal(const caller& buyer, const keyed_order& named);
  task<result<std::string>> seal_person(order::place& wanted, const keyed_order& named);
  response answer_checkout(const request& req, const std::string& id, const answer& got,
                           const std::string& person_key) const;
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
