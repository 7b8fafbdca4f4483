#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace omnicart::cluster {

// When the next batch of messages to a peer may leave: at once behind one or two, else the later the more left together, for
// then there are many: each batch costs both sides a system call and a wake-up, whatever is in it. A large batch pays for
// these, and the next need not wait. One thread's. (docs/decisions/0011-what-is-under-way-gathers.md)
class gather_pace {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::uint64_t free = 2;  // messages that nobody waits behind
  static constexpr std::chrono::microseconds each{350};  // of waiting, for each message beyond
  static constexpr std::chrono::microseconds most{2'000};
  static constexpr std::size_t large_bytes = 64 * 1024;

  void left(time_point now, std::uint64_t messages, std::size_t bytes) {
    next_ = now;
    if (messages <= free || bytes >= large_bytes) return;
    const auto pause = each * static_cast<std::int64_t>(std::min<std::uint64_t>(messages - free, most / each));
    // On a common beat, so that the batches to several peers leave by one wake-up of the thread.
    next_ = time_point((now + pause).time_since_epoch() / each * each);
  }
  time_point next() const { return next_; }

 private:
  time_point next_{};
};

}  // namespace omnicart::cluster
