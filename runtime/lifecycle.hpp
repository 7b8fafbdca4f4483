#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace omnicart {

// Parts of a process that start in order and stop in the reverse order.
class lifecycle {
 public:
  struct part {
    std::string name;
    std::function<status()> start;
    // At most about this long; what is left after that is abandoned.
    std::function<void(duration_ms deadline)> stop;
  };

  void add(part which) { parts_.push_back(std::move(which)); }
  // Starts all; on a failure stops those that had started and returns why, with the part's name before it.
  status start();
  // Stops what runs, last started first; every part gets what is left of `deadline`.
  void stop(duration_ms deadline);

 private:
  std::vector<part> parts_;
  std::size_t running_ = 0;
};

}  // namespace omnicart
