#pragma once

#include "http/rate_limiter.hpp"
#include "runtime/ticker.hpp"
#include "tools/omnicartd/peers.hpp"

namespace omnicart::node {

// One rate limit for the whole cluster: what is taken from a bucket here is told to the other nodes
// every `interval`, and owed there too; and the other way round. Made before the link starts; what
// arrives after its end is for a limiter that must still be there.
class shared_rates {
 public:
  static constexpr duration_ms interval{20};

  // Both outlive it.
  shared_rates(http::rate_limiter& rates, peers& others);

 private:
  void tell();

  http::rate_limiter& rates_;
  peers& others_;
  ticker ticks_;
};

}  // namespace omnicart::node
