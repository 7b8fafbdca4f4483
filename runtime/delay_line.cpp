#include "runtime/delay_line.hpp"

#include <pthread.h>

#include <vector>

namespace omnicart {

delay_line::delay_line() : thread_([this] { run(); }) { ::pthread_setname_np(thread_.native_handle(), "delays"); }

delay_line::~delay_line() { stop(); }

void delay_line::run_after(duration_ms delay, job what) {
  const auto due = std::chrono::steady_clock::now() + delay;
  const std::lock_guard lock(guard_);
  if (stopping_) return;
  jobs_.emplace(due, std::move(what));
  if (jobs_.size() == 1) changed_.notify_one();
}

void delay_line::stop() {
  std::multimap<time_point, job> dropped;
  {
    const std::lock_guard lock(guard_);
    stopping_ = true;
    dropped.swap(jobs_);
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::size_t delay_line::waiting() const {
  const std::lock_guard lock(guard_);
  return jobs_.size();
}

void delay_line::run() {
  std::unique_lock lock(guard_);
  std::vector<job> due;
  while (!stopping_) {
    if (jobs_.empty()) {
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      continue;
    }
    const auto end = jobs_.upper_bound(std::chrono::steady_clock::now());
    for (auto at = jobs_.begin(); at != end; ++at) due.push_back(std::move(at->second));
    jobs_.erase(jobs_.begin(), end);
    lock.unlock();
    for (auto& what : due) what();
    due.clear();
    lock.lock();
    changed_.wait_for(lock, grain, [this] { return stopping_; });
  }
}

}  // namespace omnicart
