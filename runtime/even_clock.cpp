#include "runtime/even_clock.hpp"

#include <chrono>

#include "runtime/log.hpp"

namespace omnicart {
namespace {

duration_ms offset_of(const clock& machine) {
  return machine.wall().time_since_epoch() - machine.monotonic();
}

}  // namespace

even_clock::even_clock(const clock& machine) : machine_(machine), offset_(offset_of(machine)) {}

timestamp_ms even_clock::wall() const {
  return timestamp_ms(machine_.monotonic() + offset_.load());
}

void even_clock::follow(std::optional<duration_ms> ahead) {
  auto wanted = offset_of(machine_);
  if (ahead && std::chrono::abs(*ahead) > step_max) wanted -= *ahead;
  const auto gap = wanted - offset_.load();
  if (std::chrono::abs(gap) > step_max && ahead) {
    // What was heard of the others is older than a leap, so that it first seems to be right.
    const auto now = machine_.monotonic();
    if (!leapt_) leapt_ = now;
    if (now - *leapt_ < doubt) return;
  }
  if (std::chrono::abs(gap) > step_max)
    log::warning("this node's time follows a leap of its clock", {{"by_ms", gap.count()}});
  leapt_.reset();
  offset_ = wanted;
}

}  // namespace omnicart
