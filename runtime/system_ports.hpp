#pragma once

#include "runtime/clock.hpp"
#include "runtime/id_source.hpp"

namespace omnicart {

// The machine's clocks.
class system_clock final : public clock {
 public:
  timestamp_ms wall() const override;
  duration_ms monotonic() const override;
};

// Ids from libsodium's generator (the kernel's entropy).
class random_ids final : public id_source {
 public:
  random_ids();
  command_id next() override;
};

}  // namespace omnicart
