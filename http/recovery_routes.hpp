#pragma once

#include <string>

#include "actors/user/user_messages.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// What is done by way of the user's mailbox: a forgotten password, and showing that the address is
// theirs. A mail has "USER.SECRET"; the user keeps a digest of the secret, for an hour (a day for a
// confirmation) and one use.
class recovery_routes {
 public:
  explicit recovery_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> ask_reset(request& req);
  task<response> reset(request& req);
  task<response> ask_confirmation(request& req);
  task<response> confirm(request& req);
  task<response> redeem(request& req, std::string token, const user::redeem_ticket& what);

  const shop& shop_;
};

// Gives the user a fresh ticket and sends it. Nothing: it is on its way. Faults: of the user, of
// the outbox; unavailable without one.
task<std::optional<error>> send_ticket(const shop& in, std::string user, std::string address,
                                       user::ticket_purpose purpose);

}  // namespace omnicart::http
