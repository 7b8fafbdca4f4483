#pragma once

#include "runtime/base/time.hpp"

namespace omnicart {

// Time for the machinery. Thread-safe. The simulator gives its own.
class clock {
 public:
  virtual ~clock() = default;
  // Wall clock; may jump. Becomes log time only through shard_clock.
  virtual timestamp_ms wall() const = 0;
  // Never goes back; for waits, idle times and deadlines within this process.
  virtual duration_ms monotonic() const = 0;
};

}  // namespace omnicart
