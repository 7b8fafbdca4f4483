#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "cluster/link/ending.hpp"

namespace omnicart::cluster {

// Which endings are worth a line: one a second for each reason, whatever anybody throws at the
// port.
class quiet_log {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds interval{1};

  // How many were passed over since the last line, when there may be one now.
  std::optional<std::uint64_t> take(ending why, time_point now) {
    reason& at = reasons_[static_cast<std::size_t>(why)];
    if (at.said && now - at.said_at < interval) {
      ++at.unsaid;
      return std::nullopt;
    }
    at.said = true;
    at.said_at = now;
    return std::exchange(at.unsaid, 0);
  }

 private:
  struct reason {
    bool said = false;
    time_point said_at{};
    std::uint64_t unsaid = 0;
  };
  std::array<reason, ending_count> reasons_;
};

}  // namespace omnicart::cluster
