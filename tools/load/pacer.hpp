#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

namespace omnicart::load {

// Time for measuring, in microseconds from an arbitrary origin; never goes back. Tests give their
// own.
class stopwatch {
 public:
  virtual ~stopwatch() = default;
  virtual std::int64_t now_us() const = 0;
};

// The open loop: start number n is due at begin + n / rate, whether or not earlier ones were
// answered. Whoever takes a start measures its latency from the time returned here, so that a
// server that stalls is charged for the requests that had to wait (no coordinated omission). Starts
// not taken before the end are never owed.
class pacer {
 public:
  pacer(std::int64_t begin_us, std::int64_t duration_us, double per_second)
      : begin_us_(begin_us), end_us_(begin_us + duration_us), gap_us_(1e6 / per_second) {}

  // The next intended start, possibly in the past; nothing once the schedule is over or `now_us` is
  // past its end. What was due before `now_us` and is given up that way is counted by missed().
  std::optional<std::int64_t> next(std::int64_t now_us) {
    const std::int64_t due_us = due(next_);
    if (due_us >= end_us_ || now_us >= end_us_) return std::nullopt;
    ++next_;
    return due_us;
  }
  std::int64_t missed() const {
    const auto planned =
        static_cast<std::int64_t>(std::ceil(static_cast<double>(end_us_ - begin_us_) / gap_us_));
    return planned > next_ ? planned - next_ : 0;
  }

 private:
  // From n, not from the last start: rounding does not add up.
  std::int64_t due(std::int64_t n) const {
    return begin_us_ + static_cast<std::int64_t>(static_cast<double>(n) * gap_us_);
  }

  std::int64_t begin_us_;
  std::int64_t end_us_;
  double gap_us_;
  std::int64_t next_ = 0;
};

}  // namespace omnicart::load
