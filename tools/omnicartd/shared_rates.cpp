#include "tools/omnicartd/shared_rates.hpp"

#include <vector>

namespace omnicart::node {

shared_rates::shared_rates(http::rate_limiter& rates, peers& others)
    : rates_(rates), others_(others), ticks_("rates", interval, [this] { tell(); }) {
  rates.share();
  others.others().take_rates([&rates](const cluster::rate_uses& told) {
    std::vector<http::rate_limiter::spent> elsewhere;
    elsewhere.reserve(told.taken.size());
    for (const auto& each : told.taken) elsewhere.push_back({each.key, each.slot, each.ns});
    rates.absorb(elsewhere);
  });
}

void shared_rates::tell() {
  std::vector<cluster::rate_use> taken;
  for (const auto& each : rates_.drain()) taken.push_back({each.key, each.slot, each.ns});
  if (!taken.empty()) others_.others().tell(others_.up(), taken);
}

}  // namespace omnicart::node
