#pragma once

#include "http/product_search.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// What helps to find products: completions, the tree of categories, things alike. The search itself
// is GET /api/products (product_routes.hpp).
class search_routes {
 public:
  search_routes(const shop& in, product_search& finder) : shop_(in), finder_(finder) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> suggest(request& req);
  task<response> categories(request& req);
  task<response> related(request& req);

  const shop& shop_;
  product_search& finder_;
};

}  // namespace omnicart::http
