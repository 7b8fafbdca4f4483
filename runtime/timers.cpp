#include "runtime/timers.hpp"

namespace omnicart {

timer_service::timer_service(timer_source& source, message_sink& out, const clock& time)
    : source_(source), out_(out), time_(time) {}

status timer_service::tick() {
  auto due = source_.take_due(time_.wall(), wakes_per_tick_max);
  if (!due) return fail(std::move(due.error()));
  for (auto& [entity, at] : *due) {
    envelope wake;
    wake.to = std::move(entity);
    wake.asker.as = role::system;
    out_.send(std::move(wake));
  }
  return {};
}

}  // namespace omnicart
