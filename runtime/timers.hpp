#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "runtime/clock.hpp"
#include "runtime/message.hpp"
#include "runtime/placement.hpp"

namespace omnicart {

// An entity that owes effects has a durable wake-up at most this long after its last event, should all else fail. So
// after a restart, whoever owed something then is among those due within this span.
inline constexpr duration_ms effect_retry_interval{30'000};

// Where the durable wake-ups are kept (persistence). Thread-safe.
class timer_source {
 public:
  virtual ~timer_source() = default;
  using shard_filter = std::function<bool(std::uint16_t shard)>;
  // Entities of the shards that `of` names whose wake-up is due at `now`, at most `limit`, with its time. Each is named
  // once, and again after a while should its entity not have settled it.
  virtual result<std::vector<std::pair<entity_ref, timestamp_ms>>> take_due(const shard_filter& of, timestamp_ms now,
                                                                            std::size_t limit) = 0;
  // Entities of the shard whose wake-up lies at or before `until`, due or not, at most `limit`: one walk, that goes on
  // where the last call for this shard ended. Fewer than `limit`: that was the end of it, and the next begins anew.
  virtual result<std::vector<entity_ref>> take_ahead(std::uint16_t shard, timestamp_ms until, std::size_t limit) = 0;
};

// Sends a wake-up (an empty command) to each entity of the shards led here whose durable timer is due. What a stop, or a
// leader's end, cut short does not wait for that: once this node has taken a shard over everybody in it that is due
// within effect_retry_interval is woken, and an entity that owes effects sends them as soon as it is active. So many at a
// time that a hundred thousand do not crowd out callers.
class timer_service {
 public:
  static constexpr std::size_t wakes_per_tick_max = 1'000;
  static constexpr std::size_t early_wakes_per_tick_max = 250;

  // All outlive it. `shard_count`: of all groups.
  timer_service(timer_source& source, message_sink& out, const placement& place, const clock& time,
                std::uint16_t shard_count);
  // This node leads the shard from now on. Any thread.
  void took_over(std::uint16_t shard);
  // Called every 100 ms or so, by one thread. Fault: base_errc::io from the source.
  status tick();

 private:
  status wake_early(timestamp_ms now);
  void wake(entity_ref entity);

  timer_source& source_;
  message_sink& out_;
  const placement& place_;
  const clock& time_;
  std::mutex guard_;
  std::set<std::uint16_t> taken_over_;  // and not walked through yet
  std::optional<std::pair<std::uint16_t, timestamp_ms>> walk_;  // the one under way, and how far ahead it looks
};

}  // namespace omnicart
