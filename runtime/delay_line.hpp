#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "runtime/base/time.hpp"

namespace omnicart {

// Runs small jobs later, on one thread of its own. Coarse on purpose: the thread looks every `grain`, and only while
// something waits, so that handing a job over wakes nobody. (CAF's clock wakes its thread for every delayed message:
// twenty thousand a second cost a twentieth of two cores.) Thread-safe.
class delay_line {
 public:
  static constexpr duration_ms grain{10};
  using job = std::function<void()>;

  delay_line();
  ~delay_line();  // stops
  delay_line(const delay_line&) = delete;
  delay_line& operator=(const delay_line&) = delete;

  // `what` runs once, not before `delay` has passed and about a grain after it at most, in order of being due. It must
  // not block. After stop() it is dropped.
  void run_after(duration_ms delay, job what);
  // Drops what waits, on the caller's thread; a job that runs is waited for.
  void stop();

  std::size_t waiting() const;

 private:
  using time_point = std::chrono::steady_clock::time_point;

  void run();

  mutable std::mutex guard_;
  std::condition_variable changed_;
  std::multimap<time_point, job> jobs_;  // by the time they are due
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace omnicart
