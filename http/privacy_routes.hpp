#pragma once

#include <set>
#include <string>
#include <vector>

#include "actors/user/user_messages.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// What the law calls access and erasure: a user takes their data along, or has it made unreadable.
class privacy_routes {
 public:
  explicit privacy_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  // {exported_at, user, sessions, carts, orders, reviews}: all that the shop knows of the caller by
  // name. At most 10,000 orders, newest first, and the reviews of what is in them;
  // `orders_left_out` says that there are more.
  task<response> export_all(request& req);
  // {current_password}: 204 once the profile, the address, the sessions and the key of the orders'
  // personal data are gone.
  task<response> erase(request& req);

  task<tl::expected<user::reply, response>> own_record(request& req, const authority& who);

  struct found_orders {
    std::string json;
    bool more = false;
    std::set<std::string> products;  // in them
  };
  task<tl::expected<found_orders, response>> orders_of(request& req, const user::reply& mine,
                                                       std::string user);
  // As JSON: what the user said of these products, also as the guests that count as them.
  task<tl::expected<std::string, response>> reviews_of(request& req, const user::reply& mine,
                                                       std::string user,
                                                       const std::set<std::string>& products);
  // As JSON: the user's cart, and those of their open sessions where they are others.
  task<tl::expected<std::string, response>> carts_of(request& req, const user::reply& mine,
                                                     const authority& who);

  const shop& shop_;
};

}  // namespace omnicart::http
