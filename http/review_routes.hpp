#pragma once

#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// What buyers say of a product. Whoever has a paid order with the product may say it once, and say
// it otherwise later.
class review_routes {
 public:
  explicit review_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> list(request& req);
  task<response> write(request& req);
  // Whether one of the caller's orders that are paid for, or later, holds the product.
  task<tl::expected<bool, response>> has_bought(request& req, authority who, std::string product);

  const shop& shop_;
};

}  // namespace omnicart::http
