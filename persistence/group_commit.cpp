#include "persistence/group_commit.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <map>
#include <utility>

#include "persistence/rocksdb_options.hpp"
#include "persistence/timer_index.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/crash_point.hpp"

namespace omnicart::persistence {
namespace {

constexpr int exit_storage_failed = 74;             // EX_IOERR of sysexits.h
constexpr std::uint64_t point_deletes_max = 1'000;  // a longer cut is one range tombstone
constexpr std::size_t item_overhead_bytes = 200;

bool is_barrier(const journal_item& item) {
  return item.events.empty() && !item.proof && !item.timer && !item.state &&
         item.cut_through == 0 && !item.forgotten;
}

std::size_t bucket(std::uint64_t value) {
  const auto width = static_cast<std::size_t>(std::bit_width(value));
  return std::min(width == 0 ? 0 : width - 1, journal_stats::buckets - 1);
}

[[noreturn]] void end_process(const std::string& why) {
  std::fprintf(stderr, "omnicart: storage failed, ending: %s\n", why.c_str());
  _exit(exit_storage_failed);
}

}  // namespace

result<std::unique_ptr<group_commit_journal>> group_commit_journal::open(
    store& data, timer_index& timers, const clock& time, group_commit_options options) {
  std::unique_ptr<group_commit_journal> opened(
      new group_commit_journal(data, timers, time, std::move(options)));
  if (auto done = opened->recover(); !done) return fail(std::move(done.error()));
  return opened;
}

group_commit_journal::group_commit_journal(store& data, timer_index& timers, const clock& time,
                                           group_commit_options options)
    : store_(data),
      timers_(timers),
      clock_(time),
      options_(std::move(options)),
      shards_(std::make_unique<shard_state[]>(data.shard_count())) {
  if (!options_.term_of) options_.term_of = [](std::uint16_t) { return std::uint64_t{1}; };
  if (!options_.fatal) options_.fatal = end_process;
}

group_commit_journal::~group_commit_journal() { stop(); }

status group_commit_journal::recover() {
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator({}, store_.of(family::log)));
  for (std::uint16_t shard = 0; shard < store_.shard_count(); ++shard) {
    at->SeekForPrev(log_key(shard, std::numeric_limits<std::uint64_t>::max()));
    if (!at->status().ok()) return fail(io_error("cannot read the log", at->status()));
    if (!at->Valid()) continue;
    const auto position = parse_log_key(at->key().ToStringView());
    if (!position || position->shard != shard) continue;
    const auto entry = decode_log_entry(at->value().ToStringView());
    if (!entry) {
      return fail(base_errc::io, "log of shard " + std::to_string(shard) + ", entry " +
                                     std::to_string(position->index) + ": " + entry.error().detail);
    }
    shards_[shard].last_index = position->index;
    shards_[shard].time_ms = entry->time.time_since_epoch().count();
  }
  return {};
}

ticket group_commit_journal::append(journal_item item) {
  queued q;
  q.shard = store_.shard_of(item.entity);
  q.barrier = is_barrier(item);
  q.bytes = item_overhead_bytes;
  if (!q.barrier) {
    // On the caller's thread: the journal's has the disk to wait for.
    q.prefix = entity_prefix(q.shard, item.entity);
    ensure(item.events.empty() || item.first_version > 0, "events are numbered from 1");
    for (const auto& record : item.events) {
      q.records.push_back(encode(record));
      q.bytes += 2 * q.records.back().size();  // in the log and on its own
    }
    if (item.state) q.bytes += item.state->state.size();
  }
  q.item = std::move(item);
  q.item.events.clear();
  const std::lock_guard lock(mutex_);
  q.number = ++last_ticket_;
  queue_items_.fetch_add(1, std::memory_order_relaxed);
  queue_bytes_.fetch_add(q.bytes, std::memory_order_relaxed);
  queue_.push_back(std::move(q));
  if (idle_) wake_.notify_one();
  return last_ticket_;
}

std::optional<error> group_commit_journal::refusing() const {
  if (stopping_.load(std::memory_order_relaxed)) return make_error(base_errc::shutting_down);
  if (failed_.load(std::memory_order_relaxed))
    return make_error(base_errc::unknown_outcome, "a write has failed");
  check_limits();
  if (disk_low_.load(std::memory_order_relaxed)) {
    return make_error(base_errc::storage_full, "free disk space is below the limit");
  }
  if (queue_items_.load(std::memory_order_relaxed) >= options_.queue_items_max ||
      queue_bytes_.load(std::memory_order_relaxed) >= options_.queue_bytes_max) {
    return make_error(base_errc::overloaded, "the journal's queue is full");
  }
  if (receipts_full())
    return make_error(base_errc::overloaded, "as many receipts are stored as allowed");
  return std::nullopt;
}

void group_commit_journal::check_limits() const {
  const auto now = clock_.monotonic().count();
  auto due = next_check_ms_.load(std::memory_order_relaxed);
  if (now < due) return;
  // One of the callers asks the disk, the others go by the last answer.
  if (!next_check_ms_.compare_exchange_strong(due, now + options_.check_every.count())) return;
  const auto free = store_.free_disk_bytes();
  disk_low_ = !free || *free < store_.options().free_disk_bytes_min;
  receipts_full_ = store_.receipts_estimate() >= store_.options().receipts_max;
}

timestamp_ms group_commit_journal::log_time(const entity_ref& entity) {
  auto& last = shards_[store_.shard_of(entity)].time_ms;
  const auto wall = clock_.wall().time_since_epoch().count();
  auto seen = last.load(std::memory_order_relaxed);
  while (seen < wall && !last.compare_exchange_weak(seen, wall)) {
  }
  return timestamp_ms{duration_ms{std::max(seen, wall)}};
}

std::vector<group_commit_journal::queued> group_commit_journal::take_batch() {
  std::vector<queued> batch;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  batch.reserve(std::min(queue_.size(), options_.batch_items_max));
  while (!queue_.empty() && batch.size() < options_.batch_items_max &&
         bytes < options_.batch_bytes_max) {
    bytes += queue_.front().bytes;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queue_items_.fetch_sub(batch.size(), std::memory_order_relaxed);
  queue_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  return batch;
}

bool group_commit_journal::flush_once() {
  auto batch = take_batch();
  if (batch.empty()) return false;
  if (failed_) {
    fail_all(std::move(batch), "a write had failed before");
    return false;
  }
  committed_batch log;
  if (std::any_of(batch.begin(), batch.end(), [](const queued& q) { return !q.barrier; })) {
    rocksdb::WriteBatch out;
    log = put_all(batch, out);
    OMNICART_CRASH_POINT("before_sync");
    rocksdb::WriteOptions how;
    how.sync = store_.options().sync;
    const auto began = now_us();
    const auto written = store_.db().Write(how, &out);
    if (!written.ok()) {
      fail_all(std::move(batch), written.ToString());
      return false;
    }
    count(batch.size(), out.GetDataSize(), now_us() - began);
    OMNICART_CRASH_POINT("after_sync");
  }
  finish(batch, log);
  return queue_items_.load(std::memory_order_relaxed) > 0;
}

committed_batch group_commit_journal::put_all(std::vector<queued>& batch,
                                              rocksdb::WriteBatch& out) const {
  std::map<std::uint16_t, log_entry> entries;
  for (auto& q : batch) {
    if (q.barrier) continue;
    put_item(q, out);
    if (q.records.empty()) continue;
    entries[q.shard].events.push_back({.kind = q.item.entity.kind,
                                       .id = q.item.entity.id,
                                       .first_version = q.item.first_version,
                                       .records = std::move(q.records)});
  }
  committed_batch log;
  for (auto& [shard, entry] : entries) {
    entry.term = options_.term_of(shard);
    // Read after the items were queued: not below any log time that their events were given.
    entry.time = timestamp_ms{duration_ms{shards_[shard].time_ms.load()}};
    const auto index = shards_[shard].last_index.load() + 1;
    out.Put(store_.of(family::log), log_key(shard, index), encode(entry));
    log.entries.push_back({.shard = shard, .index = index, .entry = std::move(entry)});
  }
  return log;
}

void group_commit_journal::put_item(const queued& q, rocksdb::WriteBatch& out) const {
  auto version = q.item.first_version;
  for (const auto& record : q.records) {
    if (q.item.forgotten) break;
    out.Put(store_.of(family::events), event_key(q.prefix, version++), record);
  }
  if (q.item.forgotten) out.Delete(store_.of(family::snapshots), q.prefix);
  if (q.item.proof) {
    out.Put(store_.of(family::receipts), receipt_key(q.prefix, q.item.proof->id),
            encode(*q.item.proof));
  }
  if (q.item.timer) put_timer(q, out);
  if (q.item.state) out.Put(store_.of(family::snapshots), q.prefix, encode(*q.item.state));
  if (q.item.cut_through > 0) put_cut(q, out);
}

void group_commit_journal::put_timer(const queued& q, rocksdb::WriteBatch& out) const {
  const auto& [before, after] = *q.item.timer;
  const auto marker = event_key(q.prefix, timer_marker_version);
  if (before) out.Delete(store_.of(family::timers), timer_key(q.shard, *before, q.item.entity));
  if (after) {
    out.Put(store_.of(family::timers), timer_key(q.shard, *after, q.item.entity), {});
    out.Put(store_.of(family::events), marker, encode_time(*after));
  } else {
    out.Delete(store_.of(family::events), marker);
  }
}

void group_commit_journal::put_cut(const queued& q, rocksdb::WriteBatch& out) const {
  auto* events = store_.of(family::events);
  const auto first = std::max<std::uint64_t>(q.item.cut_from, 1);
  const auto last = q.item.cut_through;
  ensure(last < timer_marker_version, "a cut ends before the timer marker");
  if (last >= first && last - first >= point_deletes_max) {
    out.DeleteRange(events, event_key(q.prefix, first), event_key(q.prefix, last + 1));
    return;
  }
  for (auto version = first; version <= last; ++version)
    out.Delete(events, event_key(q.prefix, version));
}

void group_commit_journal::finish(std::vector<queued>& batch, const committed_batch& log) {
  for (const auto& committed : log.entries) shards_[committed.shard].last_index = committed.index;
  durable_.store(batch.back().number, std::memory_order_release);
  for (const auto& q : batch) {
    if (q.item.timer)
      timers_.changed(q.shard, q.item.entity, q.item.timer->before, q.item.timer->after);
  }
  if (options_.committed && !log.entries.empty()) options_.committed(log);
  OMNICART_CRASH_POINT("before_done");
  for (auto& q : batch) {
    if (q.item.done) q.item.done({});
  }
  OMNICART_CRASH_POINT("after_done");
}

void group_commit_journal::fail_all(std::vector<queued> batch, const std::string& why) {
  failed_ = true;
  for (; !batch.empty(); batch = take_batch()) {
    for (auto& q : batch) {
      if (q.item.done) q.item.done(fail(base_errc::unknown_outcome, "the write failed"));
    }
  }
  options_.fatal(why);
}

void group_commit_journal::count(std::size_t items, std::size_t bytes, std::uint64_t took_us) {
  const std::lock_guard lock(stats_mutex_);
  stats_.items += items;
  ++stats_.batches;
  stats_.batch_bytes += bytes;
  ++stats_.batch_items[bucket(items)];
  ++stats_.commit_us[bucket(took_us)];
  stats_.commit_us_total += took_us;
}

journal_stats group_commit_journal::stats() const {
  const std::lock_guard lock(stats_mutex_);
  auto now = stats_;
  now.queue_items = queue_items_;
  now.queue_bytes = queue_bytes_;
  return now;
}

std::uint64_t group_commit_journal::now_us() const {
  return options_.now_us ? options_.now_us()
                         : static_cast<std::uint64_t>(clock_.monotonic().count()) * 1'000;
}

void group_commit_journal::start() {
  ensure(!thread_.joinable(), "a journal is started once");
  thread_ = std::thread([this] { run(); });
}

void group_commit_journal::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      idle_ = true;
      wake_.wait(lock, [this] { return !queue_.empty() || stopping_; });
      idle_ = false;
      if (queue_.empty()) return;
    }
    flush_once();
  }
}

void group_commit_journal::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace omnicart::persistence
