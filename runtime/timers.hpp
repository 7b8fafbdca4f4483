#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/clock.hpp"
#include "runtime/message.hpp"

namespace omnicart {

// An entity that owes effects has a durable wake-up at most this long after its last event, should all else fail. So
// after a restart, whoever owed something then is among those due within this span.
inline constexpr duration_ms effect_retry_interval{30'000};

// Where the durable wake-ups are kept (persistence). Thread-safe.
class timer_source {
 public:
  virtual ~timer_source() = default;
  // Entities whose wake-up is due at `now`, at most `limit`, with its time. Each is named once, and again after a
  // while should its entity not have settled it.
  virtual result<std::vector<std::pair<entity_ref, timestamp_ms>>> take_due(timestamp_ms now,
                                                                            std::size_t limit) = 0;
  // Entities whose wake-up lies at or before `until`, due or not, at most `limit`: one walk over all of them, that
  // goes on where the last call ended. Fewer than `limit`: that was the end of it.
  virtual result<std::vector<entity_ref>> take_ahead(timestamp_ms until, std::size_t limit) = 0;
};

// Sends a wake-up (an empty command) to each entity whose durable timer is due, wherever it rests. What a stop cut short
// does not wait for that: once after the start everybody due within effect_retry_interval is woken, and an entity that
// owes effects sends them as soon as it is active. So many at a time that a hundred thousand do not crowd out callers.
class timer_service {
 public:
  static constexpr std::size_t wakes_per_tick_max = 1'000;
  static constexpr std::size_t early_wakes_per_tick_max = 250;

  timer_service(timer_source& source, message_sink& out, const clock& time);
  // Called every 100 ms or so, by one thread. Fault: base_errc::io from the source.
  status tick();

 private:
  status wake_early(timestamp_ms now);
  void wake(entity_ref entity);

  timer_source& source_;
  message_sink& out_;
  const clock& time_;
  std::optional<timestamp_ms> early_until_;  // set by the first tick
  bool early_done_ = false;
};

}  // namespace omnicart
