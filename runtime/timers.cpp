#include "runtime/timers.hpp"

namespace omnicart {

timer_service::timer_service(timer_source& source, message_sink& out, const clock& time)
    : source_(source), out_(out), time_(time) {}

status timer_service::tick() {
  const timestamp_ms now = time_.wall();
  auto due = source_.take_due(now, wakes_per_tick_max);
  if (!due) return fail(std::move(due.error()));
  for (auto& [entity, at] : *due) wake(std::move(entity));
  return early_done_ ? status{} : wake_early(now);
}

status timer_service::wake_early(timestamp_ms now) {
  if (!early_until_) early_until_ = now + effect_retry_interval;
  auto ahead = source_.take_ahead(*early_until_, early_wakes_per_tick_max);
  if (!ahead) return fail(std::move(ahead.error()));
  early_done_ = ahead->size() < early_wakes_per_tick_max;
  for (auto& entity : *ahead) wake(std::move(entity));
  return {};
}

void timer_service::wake(entity_ref entity) {
  envelope message;
  message.to = std::move(entity);
  message.asker.as = role::system;
  out_.send(std::move(message));
}

}  // namespace omnicart
