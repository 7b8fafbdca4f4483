#include "runtime/lifecycle.hpp"

#include <algorithm>

#include "runtime/system_ports.hpp"

namespace omnicart {

status lifecycle::start() {
  for (auto& next : parts_) {
    if (auto started = next.start ? next.start() : status{}; !started) {
      error why = started.error();
      why.detail = next.name + ": " + why.detail;
      stop(duration_ms{1'000});
      return fail(std::move(why));
    }
    ++running_;
  }
  return {};
}

void lifecycle::stop(duration_ms deadline) {
  const system_clock time;
  const duration_ms until = time.monotonic() + deadline;
  while (running_ > 0) {
    auto& last = parts_[--running_];
    if (last.stop) last.stop(std::max(until - time.monotonic(), duration_ms{0}));
  }
}

}  // namespace omnicart
