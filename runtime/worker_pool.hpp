#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace omnicart {

// A few threads for work that blocks (password hashing, disk reads), behind a bounded queue. Thread-safe.
class worker_pool {
 public:
  // `name` shows in the threads' names (at most 15 bytes count).
  worker_pool(std::string name, std::size_t threads, std::size_t queue_max);
  // Runs what is queued, then ends the threads.
  ~worker_pool();
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  // False when the queue is full or the pool is stopping: the caller answers "overloaded". Never blocks.
  [[nodiscard]] bool submit(std::function<void()> work);
  // No further work is taken; what is queued still runs. Waits for it.
  void stop();
  std::size_t queued() const;

 private:
  void work(const std::string& name);

  const std::size_t queue_max_;
  mutable std::mutex guard_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace omnicart
