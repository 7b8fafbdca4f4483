#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "persistence/key_layout.hpp"
#include "persistence/store.hpp"
#include "runtime/journal.hpp"

namespace rocksdb {
class WriteBatch;
}

namespace omnicart::persistence {

class timer_index;

struct committed_entry {
  std::uint16_t shard = 0;
  std::uint64_t index = 0;
  log_entry entry;
};

// The log entries of one group commit, by shard.
struct committed_batch {
  std::vector<committed_entry> entries;
};

struct group_commit_options {
  std::size_t queue_items_max = 65'536;  // beyond either, refusing() says overloaded
  std::size_t queue_bytes_max = std::size_t{64} << 20;
  std::size_t batch_items_max = 4'096;  // bound the time one sync keeps others waiting
  std::size_t batch_bytes_max = std::size_t{4} << 20;
  duration_ms check_every{1'000};  // free disk and number of receipts
  // Term in which this node leads the shard (cluster/placement.hpp); null: 1.
  std::function<std::uint64_t(std::uint16_t)> term_of;
  // Called on the journal's thread after a batch is durable, before its `done` callbacks: what is
  // kept in memory from it is there when the answer leaves. Must not block.
  std::function<void(const committed_batch&)> committed;
  // After a failed write or sync, when every open item has been told. Null: one line on stderr,
  // _exit(74).
  std::function<void(const std::string&)> fatal;
  // Monotonic microseconds, for the latency figures only; null: the clock's milliseconds.
  std::function<std::uint64_t()> now_us;
};

struct journal_stats {
  static constexpr std::size_t buckets =
      24;  // bucket n counts values in [2^n, 2^(n+1)); 0 goes to bucket 0

  std::uint64_t items = 0;
  std::uint64_t batches = 0;  // group commits that wrote: one sync each
  std::uint64_t batch_bytes = 0;
  std::uint64_t queue_items = 0;  // now
  std::uint64_t queue_bytes = 0;
  std::array<std::uint64_t, buckets> batch_items{};  // histogram of items per write
  std::array<std::uint64_t, buckets> commit_us{};    // histogram of write + sync
  std::uint64_t commit_us_total = 0;
};

// The durable log of a node: gathers what every shard hands over and writes it as one batch with
// one sync.
//
// Production: start() runs it on a thread of its own. Simulator: nobody calls start(); flush_once()
// does the work on the caller's thread. Never both.
//
// refusing() answers, in this order: shutting_down, unknown_outcome (a write has failed; the
// process is about to end), storage_full (free disk below the store's limit), overloaded (queue
// beyond its limits, or as many receipts stored as allowed). It is advice for new work: append()
// still takes what was decided before.
class group_commit_journal final : public journal {
 public:
  // Reads the last log entry of every shard. All arguments must outlive the journal.
  static result<std::unique_ptr<group_commit_journal>> open(store& data, timer_index& timers,
                                                            const clock& time,
                                                            group_commit_options options);
  ~group_commit_journal() override;  // stops

  ticket append(journal_item item) override;
  ticket durable() const override { return durable_.load(std::memory_order_acquire); }
  std::optional<error> refusing() const override;
  timestamp_ms log_time(const entity_ref& entity) override;

  // Writes what is queued, up to the batch limits; true while more is queued. A batch of barriers
  // writes nothing.
  bool flush_once();
  void start();
  // New work is refused from here; what is queued is written, then the thread ends. Items handed
  // over after it has returned are neither written nor told.
  void stop();

  // As many receipts are stored as store_options allow, as far as the last check knows.
  bool receipts_full() const { return receipts_full_.load(std::memory_order_relaxed); }
  // Index of the shard's last durable log entry; 0: none yet. Any thread.
  std::uint64_t last_index(std::uint16_t shard) const { return shards_[shard].last_index.load(); }
  journal_stats stats() const;

 private:
  struct queued {
    ticket number = 0;
    std::uint16_t shard = 0;
    std::size_t bytes = 0;
    bool barrier = false;
    std::string prefix;                // entity_prefix
    std::vector<std::string> records;  // encoded events
    journal_item item;
  };
  struct shard_state {
    std::atomic<std::int64_t> time_ms{std::numeric_limits<std::int64_t>::min()};
    std::atomic<std::uint64_t> last_index{0};
  };

  group_commit_journal(store& data, timer_index& timers, const clock& time,
                       group_commit_options options);
  status recover();
  std::vector<queued> take_batch();
  committed_batch put_all(std::vector<queued>& batch, rocksdb::WriteBatch& out) const;
  void put_item(const queued& q, rocksdb::WriteBatch& out) const;
  void put_timer(const queued& q, rocksdb::WriteBatch& out) const;
  void put_cut(const queued& q, rocksdb::WriteBatch& out) const;
  void finish(std::vector<queued>& batch, const committed_batch& log);
  void fail_all(std::vector<queued> batch, const std::string& why);
  void count(std::size_t items, std::size_t bytes, std::uint64_t took_us);
  void run();
  void check_limits() const;
  std::uint64_t now_us() const;

  store& store_;
  timer_index& timers_;
  const clock& clock_;
  group_commit_options options_;
  std::unique_ptr<shard_state[]> shards_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<queued> queue_;
  ticket last_ticket_ = 0;
  bool idle_ = false;
  std::atomic<std::size_t> queue_items_{0};
  std::atomic<std::size_t> queue_bytes_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};
  std::atomic<ticket> durable_{0};

  mutable std::atomic<std::int64_t> next_check_ms_{std::numeric_limits<std::int64_t>::min()};
  mutable std::atomic<bool> disk_low_{false};
  mutable std::atomic<bool> receipts_full_{false};

  mutable std::mutex stats_mutex_;
  journal_stats stats_;
  std::thread thread_;
};

}  // namespace omnicart::persistence
