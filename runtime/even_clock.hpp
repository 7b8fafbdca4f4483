#pragma once

#include <atomic>
#include <optional>

#include "runtime/clock.hpp"

namespace omnicart {

// A wall clock that does not leap when the machine's does: tokens, holds and log time go by it. It
// runs by the monotonic clock, beside an offset that follows the machine's wall clock. Reading is
// for any thread.
class even_clock final : public clock {
 public:
  static constexpr duration_ms step_max{500};  // differences up to this are followed at once
  static constexpr duration_ms doubt{
      3'000};  // a leap that others do not contradict for so long is followed

  // `machine` outlives it.
  explicit even_clock(const clock& machine);

  timestamp_ms wall() const override;
  duration_ms monotonic() const override { return machine_.monotonic(); }

  // Every 20 ms or so, by one thread. `ahead`: how far the machine's wall clock is ahead of most
  // others', as was heard of them lately; nothing: there is nobody to ask, and the machine is
  // believed. Where it is further off than step_max, the others are believed.
  void follow(std::optional<duration_ms> ahead);

 private:
  const clock& machine_;
  std::atomic<duration_ms> offset_;   // of wall() to monotonic()
  std::optional<duration_ms> leapt_;  // since when the machine has told of another time
};

}  // namespace omnicart
