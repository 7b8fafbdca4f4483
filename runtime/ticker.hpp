#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "runtime/base/time.hpp"

namespace omnicart {

// Calls a function again and again on a thread of its own, `interval` apart, until destroyed or stopped.
class ticker {
 public:
  ticker(std::string name, duration_ms interval, std::function<void()> tick);
  ~ticker();
  ticker(const ticker&) = delete;
  ticker& operator=(const ticker&) = delete;

  // Returns when a call under way has ended; no further one follows.
  void stop();

 private:
  void run(const std::string& name);

  const duration_ms interval_;
  const std::function<void()> tick_;
  std::mutex guard_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace omnicart
