#pragma once

#include <string>
#include <vector>

#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Sessions: opening a guest's, listing and revoking one's own, new tokens for old, logging out.
class session_routes {
 public:
  explicit session_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> open(request& req);
  task<response> list(request& req);
  task<response> remove(request& req);
  task<response> refresh(request& req);
  task<response> logout(request& req);

  // Who opens a session: a token that is no good any more is no hindrance.
  task<tl::expected<authority, response>> opener(request& req);
  // The ids of a caller's sessions, or, for staff, of `user`'s.
  task<tl::expected<std::vector<std::string>, response>> sessions_of(request& req,
                                                                     const authority& who,
                                                                     const std::string& user);

  const shop& shop_;
};

}  // namespace omnicart::http
