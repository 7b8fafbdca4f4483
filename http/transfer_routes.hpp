#pragma once

#include <string>

#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Units on their way from one location to another: sent, received, called back.
class transfer_routes {
 public:
  explicit transfer_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> send(request& req);
  task<response> receive(request& req);
  task<response> recall(request& req);

  const shop& shop_;
};

}  // namespace omnicart::http
