#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "persistence/store.hpp"
#include "runtime/base/time.hpp"
#include "runtime/timers.hpp"

namespace omnicart::persistence {

// The durable timers by due time. It only reads: a timer goes away, or moves, by the journal item
// of the entity that it wakes. Memory: one entry per shard, and one per timer handed out and not
// yet settled. Thread-safe.
class timer_index final : public timer_source {
 public:
  // Reads one key per shard. The store must outlive it.
  static result<std::unique_ptr<timer_index>> open(store& data);

  // No timer needs anybody before this time; nothing: there is none. Call take_due then. May be
  // earlier than the first timer (a lower bound), never later.
  std::optional<timestamp_ms> next_due() const;

  // Timers due at `now`, earliest first within a shard, at most `limit`. Each is handed out once;
  // again after `retry_after` if its entity has not settled it by then (its wake-up may have been
  // refused). Errors: io.
  result<std::vector<std::pair<entity_ref, timestamp_ms>>> take_due(const shard_filter& of, timestamp_ms now,
                                                                    std::size_t limit) override;

  // Those handed out by take_due and not yet settled are passed over. Errors: io.
  result<std::vector<entity_ref>> take_ahead(std::uint16_t shard, timestamp_ms until, std::size_t limit) override;

  // Called by the journal once a change is durable.
  void changed(std::uint16_t shard, const entity_ref& entity, std::optional<timestamp_ms> before,
               std::optional<timestamp_ms> after);

  // The shard's timers were replaced by others, in the store. Errors: io.
  status reload(std::uint16_t shard);

  static constexpr duration_ms retry_after{5'000};

 private:
  struct shard_timers {
    std::optional<timestamp_ms> earliest;  // lower bound of those not handed out
    std::unordered_map<std::string, timestamp_ms> handed_out;  // timer key -> when
    std::optional<timestamp_ms> retry_at;  // lower bound of those handed out, plus retry_after
  };

  explicit timer_index(store& data) : store_(data), shards_(data.group_count()) {}
  status recover();
  static void requeue(shard_timers& shard, timestamp_ms now);
  status take_from(std::uint16_t number, timestamp_ms now, std::size_t limit,
                   std::vector<std::pair<entity_ref, timestamp_ms>>& due);

  store& store_;
  mutable std::mutex mutex_;
  std::vector<shard_timers> shards_;
  std::size_t next_shard_ = 0;   // where the next round begins, so that a limit starves no shard
  std::uint16_t ahead_shard_ = 0;  // how far take_ahead has come
  std::string ahead_key_;          // the last key it took of that shard; empty: none
};

}  // namespace omnicart::persistence
