#pragma once

#include <set>
#include <string>
#include <vector>

#include "actors/user/user_messages.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// What the law calls access and erasure: somebody takes their data along, or has them made unreadable. Users and guests
// ask for themselves; administrators do it for those who write to the shop.
class privacy_routes {
 public:
  explicit privacy_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  // Whose data: a user, or the guest of one session.
  struct person {
    std::string user;   // empty: a guest
    user::reply known;  // of a guest: their session, as one that counts as them
    std::string cart;   // of the session that asks; may be empty
  };

  // {exported_at, user?, sessions, carts, orders, reviews}: all that the shop knows of the caller by
  // name. At most 10,000 orders, newest first, and the reviews of what is in them;
  // `orders_left_out` says that there are more.
  task<response> export_own(request& req);
  // The same of a user, for administrators.
  task<response> export_user(request& req);
  // A user with {current_password}: 204 once the profile, the address, the sessions and the key of the orders' personal
  // data are gone. A guest: 204 once the session is, with its key.
  task<response> erase_own(request& req);
  // {reason}, by administrators: the same of a user, but never of oneself (409 own_account).
  task<response> erase_user(request& req);
  // {reason}, by administrators: the same of the guest who placed this order. 409 not_a_guests_order, in_clear.
  task<response> erase_guest_of(request& req);

  task<tl::expected<person, response>> own_person(request& req, const authority& who);
  task<tl::expected<user::reply, response>> record_of(request& req, const entity_ref& to, const caller& asker);
  task<response> export_all(request& req, const person& whose, std::string file);
  task<response> erase_with_password(request& req, const authority& who);
  // Nothing, or why the user is not erased (yet).
  task<std::optional<response>> erase_account(request& req, const entity_ref& to, const caller& asker,
                                              command_options options);
  // Of a guest that is no user yet. Nothing, or why not.
  task<std::optional<response>> forget_guest(request& req, std::string session, command_options options);

  struct found_orders {
    std::string json;
    bool more = false;
    std::set<std::string> products;  // in them
  };
  task<tl::expected<found_orders, response>> orders_of(request& req, const person& whose);
  // As JSON: what they said of these products, also as the guests that count as them.
  task<tl::expected<std::string, response>> reviews_of(request& req, const person& whose,
                                                       const std::set<std::string>& products);
  // As JSON: their cart, and those of their open sessions where they are others.
  task<tl::expected<std::string, response>> carts_of(request& req, const person& whose);

  const shop& shop_;
};

}  // namespace omnicart::http
