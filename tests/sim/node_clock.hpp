#pragma once

#include "tests/sim/timeline.hpp"

namespace omnicart::sim {

// The clocks of one machine: as fast as all others, and with readings of its own.
class node_clock final : public clock {
 public:
  // The timeline outlives it. `up`: for how long the machine had run when the story began.
  node_clock(const timeline& time, duration_ms up) : time_(time), up_(up) {}

  timestamp_ms wall() const override { return time_.wall() + ahead_; }
  duration_ms monotonic() const override { return time_.monotonic() + up_; }

  // On the wall: how far ahead of the others'.
  void be_ahead(duration_ms by) { ahead_ = by; }

 private:
  const timeline& time_;
  const duration_ms up_;
  duration_ms ahead_{0};
};

}  // namespace omnicart::sim
