#pragma once

#include "runtime/clock.hpp"

namespace omnicart::http::trial {

// Time that passes when a test says so.
class manual_clock final : public clock {
 public:
  timestamp_ms wall() const override {
    return timestamp_ms{std::chrono::hours{24 * 365 * 50}} + now_;
  }
  duration_ms monotonic() const override { return now_; }
  void pass(duration_ms span) { now_ += span; }

 private:
  duration_ms now_{1'000'000};
};

}  // namespace omnicart::http::trial
