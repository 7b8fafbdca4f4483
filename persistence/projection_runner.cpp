#include "persistence/projection_runner.hpp"

#include <pthread.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "persistence/key_layout.hpp"
#include "persistence/projection_changes.hpp"
#include "runtime/log.hpp"

namespace omnicart::persistence {
namespace {

constexpr std::size_t catch_up_entries = 256;
constexpr std::size_t catch_up_bytes = std::size_t{4} << 20;

}  // namespace

projection_runner::projection_runner(store& data, projection& what, projection_limits limits,
                                     committed_fn committed_through)
    : store_(data),
      projection_(what),
      snapshots_(dynamic_cast<snapshot_reader*>(&what)),
      limits_(limits),
      committed_through_(std::move(committed_through)),
      table_(data, std::string(what.name())),
      rows_(std::make_unique<rows>(table_)) {}

projection_runner::~projection_runner() { stop(); }

status projection_runner::start() {
  if (auto made = make_anew_if_outdated(); !made) return made;
  for (std::uint16_t shard = 0; shard < store_.group_count(); ++shard) {
    auto position = table_.stored_position(shard);
    if (!position) return fail(position.error());
    positions_[shard] = *position;
  }
  // What was committed since is read by the thread, so that a restart does not wait for it; queries do.
  fell_behind_ = true;
  thread_ = std::thread([this] { run(); });
  return {};
}

void projection_runner::stop() {
  std::deque<waiting_query> waiting;
  {
    std::lock_guard lock(guard_);
    stopping_ = true;
    waiting.swap(queries_);
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (auto& query : waiting) query.refused(make_error(base_errc::shutting_down));
  if (const auto done = std::exchange(rebuilding_, nullptr)) done(fail(base_errc::shutting_down));
}

// The batch with only what the projection wants; nothing when it wants none of it.
std::optional<committed_batch> projection_runner::wanted_of(const committed_batch& batch) const {
  committed_batch wanted;
  bool any = false;
  for (const auto& [shard, index, entry] : batch.entries) {
    auto& kept = wanted.entries.emplace_back(committed_entry{.shard = shard, .index = index, .entry = {}});
    for (const auto& logged : entry.items) {
      if (logged.records.empty() || !projection_.wants(logged.kind)) continue;
      kept.entry.items.push_back({.kind = logged.kind,
                                  .id = logged.id,
                                  .first_version = logged.first_version,
                                  .records = logged.records});
      any = true;
    }
  }
  if (!any) return std::nullopt;
  return wanted;
}

void projection_runner::committed(const committed_batch& batch) {
  auto wanted = wanted_of(batch);
  {
    std::lock_guard lock(guard_);
    if (fell_behind_) return;
    if (!wanted) return pass_over(batch);
    ++enqueued_;
    if (batches_.size() < limits_.batches_max) {
      batches_.push_back(std::move(*wanted));
    } else {
      // What is dropped here counts as applied: the log is read again before any further query
      // runs.
      fell_behind_ = true;
      applied_ += batches_.size() + 1;
      batches_.clear();
    }
    // Nobody sees rows before a query; until one comes, or enough to be worth a wake-up, they may wait.
    if (!fell_behind_ && batches_.size() < limits_.batches_per_wake) return;
  }
  changed_.notify_one();
}

// Only the positions matter, behind whatever waits already; nobody needs to wake for them.
void projection_runner::pass_over(const committed_batch& batch) {
  for (const auto& entry : batch.entries) {
    if (batches_.empty()) {
      passed_over_[entry.shard] = entry.index;
    } else {
      batches_.back().entries.push_back({.shard = entry.shard, .index = entry.index, .entry = {}});
    }
  }
}

void projection_runner::checkpoint() {
  {
    std::lock_guard lock(guard_);
    checkpoint_asked_ = true;
  }
  changed_.notify_one();
}

void projection_runner::query(std::function<void(projection_rows&)> run,
                              std::function<void(error)> refused) {
  std::unique_lock lock(guard_);
  if (stopping_ || queries_.size() >= limits_.queries_max) {
    const auto why = stopping_ ? base_errc::shutting_down : base_errc::overloaded;
    lock.unlock();
    return refused(make_error(why, "too many list requests at once"));
  }
  queries_.push_back({enqueued_, std::move(run), std::move(refused)});
  lock.unlock();
  changed_.notify_one();
}

projection_stats projection_runner::stats() const {
  std::lock_guard lock(guard_);
  return {.lag_batches = enqueued_ - applied_, .applied = applied_, .queries = queries_run_};
}

void projection_runner::run() {
  ::pthread_setname_np(::pthread_self(), "projection");
  projection_.open(*rows_);
  std::unique_lock lock(guard_);
  while (step(lock)) {
  }
  lock.unlock();
  write_rows();
}

void projection_runner::run_queued() {
  if (!std::exchange(opened_, true)) projection_.open(*rows_);
  std::unique_lock lock(guard_);
  while (!stopping_ &&
         (rebuilding_ || idle_due_ || fell_behind_ || checkpoint_asked_ || !replaced_.empty() || !batches_.empty() ||
          !queries_.empty()))
    step(lock);
}

bool projection_runner::step(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] {
    return stopping_ || rebuilding_ || idle_due_ || fell_behind_ || checkpoint_asked_ || !replaced_.empty() ||
           !batches_.empty() || !queries_.empty();
  });
  if (stopping_) return false;
  for (const auto& [shard, index] : passed_over_) {
    positions_[shard] = std::max(positions_[shard], index);
    unwritten_[shard] = positions_[shard];
  }
  passed_over_.clear();
  if (rebuilding_) {
    lock.unlock();
    auto made = make_anew();
    lock.lock();
    const auto done = std::exchange(rebuilding_, nullptr);
    idle_due_ = true;
    lock.unlock();
    done(std::move(made));
    lock.lock();
  } else if (!replaced_.empty()) {
    const auto [shard, through] = *replaced_.begin();
    replaced_.erase(replaced_.begin());
    lock.unlock();
    if (auto read = take_replaced(shard, through); !read)
      log::error("projection cannot read a shard anew", {{"shard", shard}, {"why", read.error().detail}});
    lock.lock();
    idle_due_ = true;
  } else if (fell_behind_) {
    fell_behind_ = false;
    lock.unlock();
    if (auto read = catch_up(); !read)
      log::error("projection cannot catch up", {{"why", read.error().detail}});
    lock.lock();
    idle_due_ = true;
  } else if (!batches_.empty() && (queries_.empty() || queries_.front().after > applied_)) {
    const committed_batch batch = std::move(batches_.front());
    batches_.pop_front();
    lock.unlock();
    apply(batch);
    if (rows_->changes() >= limits_.rows_per_write) write_rows();
    lock.lock();
    ++applied_;
    idle_due_ = true;
  } else if (!queries_.empty()) {
    waiting_query next = std::move(queries_.front());
    queries_.pop_front();
    ++queries_run_;
    lock.unlock();
    write_rows();
    next.run(*rows_);
    lock.lock();
  } else if (checkpoint_asked_) {
    checkpoint_asked_ = false;
    lock.unlock();
    write_rows();
    lock.lock();
  } else if (idle_due_) {
    lock.unlock();
    const bool more = projection_.idle(*rows_);
    lock.lock();
    idle_due_ = more;
  }
  return true;
}

void projection_runner::rebuild(rebuilt_fn done) {
  std::unique_lock lock(guard_);
  if (stopping_ || rebuilding_) {
    const auto why = stopping_ ? base_errc::shutting_down : base_errc::overloaded;
    lock.unlock();
    return done(fail(why, "the projection is being made anew already, or the node ends"));
  }
  rebuilding_ = std::move(done);
  lock.unlock();
  changed_.notify_one();
}

status projection_runner::catch_up() {
  const shard_log log(store_);
  for (auto& [shard, position] : positions_) {
    // What is stored beyond may still be taken back.
    const auto through = committed_through_ ? committed_through_(shard) : std::numeric_limits<std::uint64_t>::max();
    while (position < through) {
      const auto count = std::min<std::uint64_t>(catch_up_entries, through - position);
      auto entries = log.read(shard, position + 1, count, catch_up_bytes);
      if (!entries) return fail(entries.error());
      if (entries->empty()) break;
      for (const auto& entry : *entries) apply(entry);
      write_rows();
    }
  }
  return {};
}

void projection_runner::replaced(std::uint16_t shard, std::uint64_t through) {
  {
    std::lock_guard lock(guard_);
    replaced_[shard] = through;
  }
  changed_.notify_one();
}

status projection_runner::take_replaced(std::uint16_t shard, std::uint64_t through) {
  if (auto applied = apply_histories(shard); !applied) return applied;
  positions_[shard] = std::max(positions_[shard], through);
  unwritten_[shard] = positions_[shard];
  write_rows();
  return {};
}

void projection_runner::apply(const committed_batch& batch) {
  for (const auto& entry : batch.entries) apply(entry);
}

void projection_runner::apply(const committed_entry& entry) {
  auto& position = positions_[entry.shard];
  if (entry.index <= position) return;
  for (const auto& logged : entry.entry.items) {
    if (!projection_.wants(logged.kind)) continue;
    const entity_ref entity{logged.kind, logged.id};
    std::uint64_t version = logged.first_version;
    for (const auto& bytes : logged.records) {
      auto record = decode_event_record(bytes);
      if (record) {
        projection_.apply(entity, version, *record, *rows_);
      } else {
        log::error("projection skips an event that does not read",
                   {{"entity", entity.str()}, {"version", version}});
      }
      ++version;
    }
  }
  position = entry.index;
  unwritten_[entry.shard] = entry.index;
}

void projection_runner::write_rows() {
  if (unwritten_.empty()) return;
  std::vector<projection_store::position> positions;
  positions.reserve(unwritten_.size());
  for (const auto& [shard, index] : unwritten_) positions.push_back({.shard = shard, .index = index});
  if (auto written = table_.write(rows_->take_changes(), positions); !written) {
    log::error("projection cannot be written", {{"why", written.error().detail}});
  }
  unwritten_.clear();
}

}  // namespace omnicart::persistence
