#include "runtime/timers.hpp"

namespace omnicart {

timer_service::timer_service(timer_source& source, message_sink& out, const placement& place, const clock& time,
                             std::uint16_t shard_count)
    : source_(source), out_(out), place_(place), time_(time) {
  for (std::uint16_t shard = 0; shard < shard_count; ++shard) {
    if (place.leads(shard)) taken_over_.insert(shard);
  }
}

void timer_service::took_over(std::uint16_t shard) {
  const std::lock_guard lock(guard_);
  taken_over_.insert(shard);
}

status timer_service::tick() {
  const timestamp_ms now = time_.wall();
  auto due = source_.take_due([this](std::uint16_t shard) { return place_.leads(shard); }, now, wakes_per_tick_max);
  if (!due) return fail(std::move(due.error()));
  for (auto& [entity, at] : *due) wake(std::move(entity));
  return wake_early(now);
}

status timer_service::wake_early(timestamp_ms now) {
  for (std::size_t left = early_wakes_per_tick_max; left > 0;) {
    if (!walk_) {
      const std::lock_guard lock(guard_);
      if (taken_over_.empty()) return {};
      walk_ = {taken_over_.extract(taken_over_.begin()).value(), now + effect_retry_interval};
    }
    const auto [shard, until] = *walk_;
    auto ahead = source_.take_ahead(shard, until, left);
    if (!ahead) return fail(std::move(ahead.error()));
    if (ahead->size() < left) walk_.reset();
    left -= ahead->size();
    if (!place_.leads(shard)) continue;
    for (auto& entity : *ahead) wake(std::move(entity));
  }
  return {};
}

void timer_service::wake(entity_ref entity) {
  envelope message;
  message.to = std::move(entity);
  message.asker.as = role::system;
  out_.send(std::move(message));
}

}  // namespace omnicart
