#include "runtime/ticker.hpp"

#include <pthread.h>

namespace omnicart {

ticker::ticker(std::string name, duration_ms interval, std::function<void()> tick)
    : interval_(interval), tick_(std::move(tick)) {
  name.resize(std::min<std::size_t>(name.size(), 15));
  thread_ = std::thread([this, name] { run(name); });
}

ticker::~ticker() { stop(); }

void ticker::stop() {
  {
    std::lock_guard lock(guard_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ticker::run(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.c_str());
  std::unique_lock lock(guard_);
  while (!stopped_.wait_for(lock, interval_, [this] { return stopping_; })) {
    lock.unlock();
    tick_();
    lock.lock();
  }
}

}  // namespace omnicart
