#pragma once

#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// The audit log, for administrators.
class audit_routes {
 public:
  explicit audit_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> list(request& req);

  const shop& shop_;
};

}  // namespace omnicart::http
