#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace omnicart::cluster {

// Whether something is worth a line: one a second, however often it happens.
class quiet_line {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds interval{1};

  // How many were passed over since the last line, when there may be one now.
  std::optional<std::uint64_t> take(time_point now) {
    if (said_ && now - said_at_ < interval) {
      ++unsaid_;
      return std::nullopt;
    }
    said_ = true;
    said_at_ = now;
    return std::exchange(unsaid_, 0);
  }

 private:
  bool said_ = false;
  time_point said_at_{};
  std::uint64_t unsaid_ = 0;
};

}  // namespace omnicart::cluster
