#pragma once

#include <cstdint>

#include "tests/sim/timeline.hpp"

namespace omnicart::sim {

// The clocks of one machine, with readings of their own. The monotonic one may run fast, by far
// less than what leases allow for (read_lease).
class node_clock final : public clock {
 public:
  // The timeline outlives it. `up`: for how long the machine had run when the story began; `fast`:
  // by so many milliseconds in a second.
  node_clock(const timeline& time, duration_ms up, std::int64_t fast)
      : time_(time), up_(up), fast_(fast) {}

  timestamp_ms wall() const override { return time_.wall() + ahead_; }
  duration_ms monotonic() const override {
    const auto now = time_.monotonic();
    return up_ + now + now * fast_ / 1'000;
  }

  // On the wall: how far ahead of the others'.
  void be_ahead(duration_ms by) { ahead_ = by; }

 private:
  const timeline& time_;
  const duration_ms up_;
  const std::int64_t fast_;
  duration_ms ahead_{0};
};

}  // namespace omnicart::sim
