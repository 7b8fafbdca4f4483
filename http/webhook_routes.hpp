#pragma once

#include "http/provider_word.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// POST /api/payments/webhook: what the provider tells by itself, signed (http/webhook_signature.hpp). The order takes
// it or knows it already: 200. What was taken for no order is given back before the answer is 200. Anything else is not
// 2xx, and the provider tells it again.
class webhook_routes {
 public:
  explicit webhook_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> take(request& req);
  task<response> give_back(request& req, const provider_word& word);

  const shop& shop_;
};

}  // namespace omnicart::http
