#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "persistence/committed.hpp"
#include "persistence/projection_store.hpp"
#include "persistence/shard_log.hpp"
#include "runtime/projection.hpp"
#include "runtime/snapshot_reader.hpp"

namespace rocksdb {
struct ReadOptions;
}

namespace omnicart::persistence {

struct projection_limits {
  std::size_t batches_max =
      10'000;  // kept in memory; beyond it the log is read again from the disk
  std::size_t queries_max = 4'096;
  std::size_t batches_per_wake = 32;   // applied together, unless a query comes before
  std::size_t rows_per_write = 1'000;  // changed rows kept in memory, unless a query or checkpoint comes before
};

struct projection_stats {
  std::uint64_t lag_batches = 0;  // committed, not yet applied
  std::uint64_t applied = 0;
  std::uint64_t queries = 0;
};

// Feeds one projection from the log, on a thread of its own: first what was committed before the
// start, then the batches as they are committed. Rows are applied and written, with the positions
// that they contain, before a query reads them, at a checkpoint, and when enough have gathered; not
// synced (a crash repeats a little).
class projection_runner {
 public:
  // All arguments outlive the runner. start() before the journal takes its first item. `committed_through`: how far the
  // log of a shard is committed and in the store; null: all of it is.
  using committed_fn = std::function<std::uint64_t(std::uint16_t shard)>;
  projection_runner(store& data, projection& what, projection_limits limits, committed_fn committed_through = {});
  ~projection_runner();

  // Makes rows of another format anew, which takes as long as there is history. Else returns at once; the thread reads
  // what was committed since the stored position, then goes on by itself.
  status start();
  // Waiting queries are refused; what was applied is written.
  void stop();

  // From the journal (journal_options::committed). Never blocks.
  void committed(const committed_batch& batch);
  void query(std::function<void(projection_rows&)> run, std::function<void(error)> refused);
  projection_stats stats() const;
  // The shard's content was replaced as a whole, up to this index of its log: the kept histories are applied again.
  void replaced(std::uint16_t shard, std::uint64_t through);
  // Soon drops all rows and makes them anew from the kept histories, while queries wait; `done` when that is through,
  // on the projection's thread, or with shutting_down. One at a time: else overloaded, at once.
  using rebuilt_fn = std::function<void(status)>;
  void rebuild(rebuilt_fn done);
  // Soon writes how far the log was read, also where nothing concerned this projection: the log may
  // be cut there.
  void checkpoint();

  // The simulator: no thread; this applies what is queued and runs the queries that may run.
  void run_queued();

 private:
  class rows;
  struct waiting_query {
    std::uint64_t after;  // batches
    std::function<void(projection_rows&)> run;
    std::function<void(error)> refused;
  };

  void run();
  void apply(const committed_batch& batch);
  void apply(const committed_entry& entry);
  status catch_up();
  status take_replaced(std::uint16_t shard, std::uint64_t through);
  status make_anew();
  status make_anew_if_outdated();
  result<bool> is_behind_log() const;
  status restore_snapshots(std::uint16_t shard, const rocksdb::ReadOptions& how);
  status apply_histories(std::uint16_t shard);
  status write_if_many();
  void write_rows();
  std::optional<committed_batch> wanted_of(const committed_batch& batch) const;
  void pass_over(const committed_batch& batch);
  // Takes the next piece of work; false when stopping.
  bool step(std::unique_lock<std::mutex>& lock);

  store& store_;
  projection& projection_;
  snapshot_reader* const snapshots_;  // the same; null: it needs none
  const projection_limits limits_;
  const committed_fn committed_through_;
  projection_store table_;
  std::unique_ptr<rows> rows_;
  std::map<std::uint16_t, std::uint64_t> positions_;  // applied, by shard
  std::map<std::uint16_t, std::uint64_t> unwritten_;  // positions whose rows are applied, not written

  mutable std::mutex guard_;
  std::condition_variable changed_;
  std::deque<committed_batch> batches_;
  std::deque<waiting_query> queries_;
  std::uint64_t enqueued_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t queries_run_ = 0;
  std::map<std::uint16_t, std::uint64_t>
      passed_over_;  // entries without concern, committed before batches_
  std::map<std::uint16_t, std::uint64_t> replaced_;  // shards whose histories are to be applied again, and up to where
  rebuilt_fn rebuilding_;  // not null: asked for and not through
  bool idle_due_ = true;   // something was applied since the projection had nothing to do
  bool checkpoint_asked_ = false;
  bool fell_behind_ = false;  // batches were dropped: the log has them
  bool stopping_ = false;
  bool opened_ = false;  // run_queued only
  std::thread thread_;
};

// The projections of a node by name.
class projection_set final : public projection_host {
 public:
  projection_set(store& data, std::vector<projection*> projections, projection_limits limits = {},
                 projection_runner::committed_fn committed_through = {});
  status start();
  void stop();
  void committed(const committed_batch& batch);
  void replaced(std::uint16_t shard, std::uint64_t through);
  void checkpoint();
  void query(std::string_view projection, std::function<void(projection_rows&)> run,
             std::function<void(error)> refused) override;
  // Refused as not_found: no such projection.
  void rebuild(std::string_view projection, projection_runner::rebuilt_fn done);
  std::map<std::string, projection_stats> stats() const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::unique_ptr<projection_runner>, std::less<>> runners_;
};

}  // namespace omnicart::persistence
