#pragma once

#include <string>

#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

class user_list;
struct user_query;

// GET /api/users: administrators look for accounts, by the whole address, or page by page.
//
// No list holds names or addresses (user_list.hpp). A part of one is looked for by asking the users themselves, so many
// of them per request: an answer may have fewer than it may hold, none even, and a cursor to go on with.
class user_list_routes {
 public:
  user_list_routes(const shop& in, user_list& users) : shop_(in), users_(users) {}
  // `this` outlives the router, `users` this.
  void add_to(router& routes);

 private:
  task<response> search(request& req);
  task<response> by_address(request& req, const authority& who, std::string address);
  // `part`: folded; empty: everybody. `query` is used up.
  task<response> by_part(request& req, const authority& who, user_query& query,
                         const std::string& part);

  const shop& shop_;
  user_list& users_;
};

}  // namespace omnicart::http
