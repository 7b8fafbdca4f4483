#pragma once

#include "actors/location/location_messages.hpp"
#include "http/server/router.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Stock locations: everybody sees the open ones, staff all of them; admins put them there and close
// them. How much lies where is stock's.
class location_routes {
 public:
  explicit location_routes(const shop& in) : shop_(in) {}
  // `this` outlives the router.
  void add_to(router& routes);

 private:
  task<response> list(request& req);
  task<response> show(request& req);
  task<response> put(request& req);
  task<response> close(request& req);

  const shop& shop_;
};

}  // namespace omnicart::http
