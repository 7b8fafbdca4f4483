#include "runtime/worker_pool.hpp"

#include <pthread.h>

namespace omnicart {

worker_pool::worker_pool(std::string name, std::size_t threads, std::size_t queue_max) : queue_max_(queue_max) {
  name.resize(std::min<std::size_t>(name.size(), 15));
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, name] { work(name); });
}

worker_pool::~worker_pool() { stop(); }

bool worker_pool::submit(std::function<void()> work) {
  {
    std::lock_guard lock(guard_);
    if (stopping_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

void worker_pool::stop() {
  {
    std::lock_guard lock(guard_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::size_t worker_pool::queued() const {
  std::lock_guard lock(guard_);
  return queue_.size();
}

void worker_pool::work(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.c_str());
  std::unique_lock lock(guard_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

}  // namespace omnicart
