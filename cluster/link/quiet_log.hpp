#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "cluster/link/ending.hpp"
#include "cluster/link/quiet_line.hpp"

namespace omnicart::cluster {

// Which endings are worth a line: one a second for each reason, whatever anybody throws at the
// port.
class quiet_log {
 public:
  using time_point = quiet_line::time_point;

  // How many were passed over since the last line, when there may be one now.
  std::optional<std::uint64_t> take(ending why, time_point now) {
    return reasons_[static_cast<std::size_t>(why)].take(now);
  }

 private:
  std::array<quiet_line, ending_count> reasons_;
};

}  // namespace omnicart::cluster
