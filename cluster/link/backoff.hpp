#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/base/time.hpp"

namespace omnicart::cluster {

// Waits between attempts: doubling up to a bound, each between half and all of its step, so that
// nodes that lost one peer together do not come back together.
class backoff {
 public:
  backoff(duration_ms first, duration_ms most) : first_(first), most_(most), step_(first) {}

  // `chance` is any random number.
  duration_ms next(std::uint64_t chance) {
    const auto half = step_.count() / 2;
    const duration_ms wait{
        half +
        static_cast<std::int64_t>(chance % static_cast<std::uint64_t>(step_.count() - half + 1))};
    step_ = std::min(step_ * 2, most_);
    return wait;
  }
  void reset() { step_ = first_; }

 private:
  duration_ms first_, most_, step_;
};

}  // namespace omnicart::cluster
