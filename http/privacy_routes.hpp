#pragma once

#include <string>

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
  // {exported_at, user, sessions, orders}: all that the shop knows of the caller by name. At most
  // 10,000 orders, newest first; `orders_left_out` says that there are more.
  task<response> export_all(request& req);
  // {current_password}: 204 once the profile, the address, the sessions and the key of the orders'
  // personal data are gone.
  task<response> erase(request& req);

  task<tl::expected<user::reply, response>> own_record(request& req, const authority& who);
  task<tl::expected<std::string, response>> orders_of(request& req, const user::reply& mine,
                                                      std::string user, bool& more);

  const shop& shop_;
};

}  // namespace omnicart::http
