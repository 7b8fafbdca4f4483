#include "cluster/replicated_journal.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "cluster/journal_round.hpp"
#include "cluster/raft/membership.hpp"
#include "cluster/raft/message_codec.hpp"
#include "persistence/timer_index.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/crash_point.hpp"

// The journal's face: what other threads call. The loop is in journal_loop.cpp.
namespace omnicart::cluster {
namespace {

// A snapshot travels in an entry, whole; a stock record that remembers as many ended orders as it may has some 10 MiB. A
// frame between nodes takes a little more (raft/message_codec.hpp).
constexpr std::size_t entry_bytes_max = std::size_t{15} << 20;

constexpr std::size_t recalled_entries = 64;  // of each shard, at a start
constexpr std::size_t recalled_bytes = std::size_t{32} << 20;  // of all of them together

constexpr int exit_storage_failed = 74;  // EX_IOERR of sysexits.h

// docs/decisions/0011-what-is-under-way-gathers.md.
constexpr std::size_t gather_free = 4;  // messages with entries, and items, of a round, behind which nobody waits
constexpr std::chrono::microseconds gather_each{100};  // of waiting, for each beyond
constexpr std::chrono::microseconds gather_most{2'000};

[[noreturn]] void end_process(const std::string& why) {
  std::fprintf(stderr, "omnicart: storage failed, ending: %s\n", why.c_str());
  _exit(exit_storage_failed);
}

// Nodes and shards that draw the same timeouts would stand against each other for ever.
unsigned election_seed(const journal_options& options, std::uint16_t shard) {
  const auto mixed = (options.seed * 65'537 + shard) * std::uint64_t{0x9E3779B97F4A7C15} + options.self * 0xD1B54A32D192ED03;
  return static_cast<unsigned>(mixed >> 32);
}

}  // namespace

result<std::unique_ptr<replicated_journal>> replicated_journal::open(persistence::store& data,
                                                                     persistence::timer_index& timers,
                                                                     const clock& time, journal_options options) {
  std::unique_ptr<replicated_journal> opened(new replicated_journal(data, timers, time, std::move(options)));
  if (auto done = opened->recover(); !done) return fail(std::move(done.error()));
  return opened;
}

replicated_journal::replicated_journal(persistence::store& data, persistence::timer_index& timers, const clock& time,
                                       journal_options options)
    : store_(data),
      timers_(timers),
      clock_(time),
      options_(std::move(options)),
      storage_(data),
      shards_(std::make_unique<shard_state[]>(data.group_count())),
      replicas_(data.group_count()),
      queue_(data, options_.queue_items_max, options_.queue_bytes_max),
      views_(data.group_count()) {
  if (!options_.fatal) options_.fatal = end_process;
  for (std::uint16_t shard = 0; shard < data.group_count(); ++shard) {
    shards_[shard].recent.bound(recalled_bytes / data.group_count());
  }
}

replicated_journal::~replicated_journal() { stop(); }

status replicated_journal::recover() {
  round first;
  if (auto ours = recover_owner(first); !ours) return ours;
  for (std::uint16_t shard = 0; shard < store_.group_count(); ++shard) {
    if (auto done = recover(shard, first); !done) return done;
  }
  // What follows from the start alone (the first term of an only voter) is nobody's work yet: it is told to nobody, and
  // projections find it in the log.
  if (!settle(first)) return fail(base_errc::io, "the replicas' first write failed");
  publish(first);
  return {};
}

// What was executed just before the last stop is what somebody may ask for again. No claim is made to know all: what does
// not read is left to whoever needs it.
void replicated_journal::recall_stored(std::uint16_t shard, raft::log_index applied) {
  shards_[shard].recent.begin(monotonic());
  const auto newest = storage_.read_last(shard, applied, recalled_entries);
  if (!newest) return;
  for (const auto& entry : *newest) {
    if (entry.type != raft::entry_type::command) continue;
    if (const auto content = persistence::decode_log_entry(*entry.bytes)) remember(shard, *content);
  }
}

void replicated_journal::remember(std::uint16_t shard, const persistence::log_entry& applied) {
  for (const auto& item : applied.items) {
    if (item.brief && item.proof) shards_[shard].recent.add(monotonic(), *item.proof);
  }
}

// Votes and promises were made under a number: under another one they would be broken.
status replicated_journal::recover_owner(round& first) {
  const auto owner = storage_.owner();
  if (!owner) return fail(owner.error());
  if (*owner && **owner != options_.self) {
    return fail(base_errc::malformed, "the data are those of node " + std::to_string(**owner) + ", not of node " +
                                          std::to_string(options_.self) + " (cluster.node)");
  }
  if (!*owner) {
    storage_.put_owner(options_.self, first.batch);
    first.sync = true;
  }
  return {};
}

status replicated_journal::recover(std::uint16_t shard, round& first) {
  auto stored = storage_.recover(shard, options_.founder ? options_.self : 0, options_.trailing_entries);
  if (!stored) return fail(std::move(stored.error()));
  auto& r = replicas_[shard];
  r.shard = shard;
  views_[shard].shard = shard;
  r.record = stored->record;
  r.applied = stored->applied;
  r.content_through = stored->applied;
  r.last_stored = std::max(stored->last, stored->state.entries.empty() ? 0 : stored->state.entries.back().index);
  const auto is_applied = [&](const auto& entry) { return entry.index <= r.applied; };
  r.unapplied.assign(std::find_if_not(stored->state.entries.begin(), stored->state.entries.end(), is_applied),
                     stored->state.entries.end());
  r.snapshot_index = stored->state.snapshot ? stored->state.snapshot->index : 0;
  r.applied_is_written = stored->applied_is_written;
  r.learn_members(options_.self);
  r.copy_noted = stored->is_copying;
  // A leader that means to send a snapshot does so at once, and then there need not be two copies.
  if (stored->is_copying) lose_content(r, monotonic() + 2 * options_.election_timeout);
  shards_[shard].applied = r.applied;
  recall_stored(shard, r.applied);
  raise_time(shard, stored->time);
  if (stored->is_new) {
    storage_.put(shard, r.record, first.batch);
    for (const auto& entry : stored->state.entries) storage_.put_entry(shard, entry, stored->time, first.batch);
    first.sync = true;
  }
  r.group = std::make_unique<raft::raft_group>(raft::group_options{.self = options_.self,
                                                                   .seed = election_seed(options_, shard),
                                                                   .election_timeout = options_.election_timeout,
                                                                   .heartbeat = options_.heartbeat,
                                                                   .install_timeout = options_.install_timeout,
                                                                   .entry_bytes_max = entry_bytes_max,
                                                                   .memory_bytes_max = options_.log_memory_bytes_max});
  auto begun = r.group->start(monotonic(), stored->state);
  if (!begun) return fail(base_errc::io, "shard " + std::to_string(shard) + ": " + begun.error().detail);
  note(r, std::move(*begun), first);
  return {};
}

void replica::learn_members(raft::node_id self) {
  const auto voters = record.latest ? raft::voters_of(record.latest->members) : std::vector<raft::node_id>{};
  alone = voters.size() == 1 && voters.front() == self;
  needs_clock = !alone || record.latest->members.servers.size() > 1;
  members_changed = true;
}

ticket replicated_journal::append(journal_item item) {
  const auto number = queue_.push(std::move(item));
  ring();
  return number;
}

ticket replicated_journal::durable(const entity_ref& entity) const {
  return shards_[store_.shard_of(entity)].durable.load(std::memory_order_acquire);
}

std::optional<error> replicated_journal::refusing() const {
  if (stopping_.load(std::memory_order_relaxed)) return make_error(base_errc::shutting_down);
  if (failed_.load(std::memory_order_relaxed)) return make_error(base_errc::unknown_outcome, "a write has failed");
  check_limits();
  if (disk_low_.load(std::memory_order_relaxed)) {
    return make_error(base_errc::storage_full, "free disk space is below the limit");
  }
  const bool is_full = queue_.full() || queue_.bytes() + waiting_bytes_.load(std::memory_order_relaxed) >= options_.queue_bytes_max;
  if (is_full) return make_error(base_errc::overloaded, "the journal's queue is full");
  if (receipts_full()) return make_error(base_errc::overloaded, "as many receipts are stored as allowed");
  return std::nullopt;
}

void replicated_journal::check_limits() const {
  const auto now = clock_.monotonic().count();
  auto due = next_check_ms_.load(std::memory_order_relaxed);
  if (now < due) return;
  // One of the callers asks the disk, the others go by the last answer.
  if (!next_check_ms_.compare_exchange_strong(due, now + options_.check_every.count())) return;
  const auto free = store_.free_disk_bytes();
  disk_low_ = !free || *free < store_.options().free_disk_bytes_min;
  receipts_full_ = store_.receipts_estimate() >= store_.options().receipts_max;
}

timestamp_ms replicated_journal::log_time(const entity_ref& entity) {
  const auto shard = store_.shard_of(entity);
  raise_time(shard, clock_.wall());
  return timestamp_ms{duration_ms{shards_[shard].time_ms.load()}};
}

void replicated_journal::raise_time(std::uint16_t shard, timestamp_ms to) {
  auto& last = shards_[shard].time_ms;
  const auto wanted = to.time_since_epoch().count();
  auto seen = last.load(std::memory_order_relaxed);
  while (seen < wanted && !last.compare_exchange_weak(seen, wanted)) {
  }
}

std::uint64_t replicated_journal::term_of(const entity_ref& entity) const {
  return shards_[store_.shard_of(entity)].fence.load(std::memory_order_acquire);
}

bool replicated_journal::may_answer(const entity_ref& entity) const {
  return may_read(store_.shard_of(entity));
}

recollection replicated_journal::recall(const entity_ref& entity, command_id id) const {
  return shards_[store_.shard_of(entity)].recent.find(monotonic(), id);
}

bool replicated_journal::may_read(std::uint16_t shard) const {
  return monotonic().count() < shards_[shard].lease_until_ms.load(std::memory_order_acquire);
}

std::uint64_t replicated_journal::term(std::uint16_t shard) const {
  return shards_[shard].term.load(std::memory_order_acquire);
}

std::optional<node_id> replicated_journal::leader(std::uint16_t shard) const {
  const auto node = shards_[shard].leader.load(std::memory_order_relaxed);
  return node == 0 ? std::nullopt : std::optional(node);
}

void replicated_journal::receive(std::vector<shard_message> messages) {
  std::size_t bytes = 0;
  for (const auto& message : messages) bytes += raft::frame_bytes_of(message.content);
  {
    const std::lock_guard lock(inbox_guard_);
    // Raft allows the loss of any message; memory does not allow to keep all of them.
    if (inbox_.size() + messages.size() > options_.inbox_messages_max) return;
    if (inbox_bytes_ + bytes > options_.inbox_bytes_max) return;
    inbox_bytes_ += bytes;
    std::move(messages.begin(), messages.end(), std::back_inserter(inbox_));
  }
  ring();
}

void replicated_journal::ring() {
  // Pairs with the look at the queues after asleep_ was set: one of the two sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!asleep_.load()) return;
  const std::lock_guard lock(bell_guard_);
  rung_ = true;
  bell_.notify_one();
}

void replicated_journal::start() {
  ensure(!thread_.joinable(), "a journal is started once");
  thread_ = std::thread([this] { run(); });
}

void replicated_journal::run() {
  for (;;) {
    gathered_ = 0;
    const bool more = flush_once();
    gather();
    if (more) continue;
    if (stopping_ && queue_.items() == 0) return give_up();
    std::unique_lock lock(bell_guard_);
    asleep_ = true;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const auto has_work = [this] {
      if (!pause_ && queue_.items() > 0) return true;
      const std::lock_guard inbox(inbox_guard_);
      return !inbox_.empty() || !asked_.empty() || !copied_.empty() || !cuts_asked_.empty();
    };
    if (!has_work() && !rung_ && !stopping_) {
      const auto wait = until_next_timeout();
      if (wait == raft::monotonic_time::max()) {
        bell_.wait(lock, [this] { return rung_; });
      } else {
        bell_.wait_for(lock, wait, [this] { return rung_; });
      }
    }
    asleep_ = false;
    rung_ = false;
  }
}

// The more came together, the longer what follows gathers before the next round, for then there is much of it: a round costs
// each of a shard's nodes a sync and wakes others, whatever is in it. A node without others has nobody to wait for.
void replicated_journal::gather() {
  const bool is_replicated = std::any_of(replicas_.begin(), replicas_.end(), [](const replica& r) { return !r.alone; });
  if (!is_replicated || gathered_ <= gather_free || stopping_) return;
  const auto most = static_cast<std::size_t>(gather_most / gather_each);
  const auto pause = gather_each * static_cast<std::int64_t>(std::min(gathered_ - gather_free, most));
  std::this_thread::sleep_for(pause);  // nobody who rings meanwhile needs to wake anybody
}

void replicated_journal::stop() {
  {
    const std::lock_guard lock(inbox_guard_);
    closed_ = true;
  }
  {
    const std::lock_guard lock(bell_guard_);
    stopping_ = true;
    rung_ = true;
    bell_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void replicated_journal::count(std::size_t items, std::size_t bytes, std::uint64_t took_us) {
  const auto bucket = [](std::uint64_t value) {
    const auto width = static_cast<std::size_t>(std::bit_width(value));
    return std::min(width == 0 ? 0 : width - 1, journal_stats::buckets - 1);
  };
  const std::lock_guard lock(stats_mutex_);
  stats_.items += items;
  ++stats_.batches;
  stats_.batch_bytes += bytes;
  ++stats_.batch_items[bucket(items)];
  ++stats_.commit_us[bucket(took_us)];
  stats_.commit_us_total += took_us;
}

journal_stats replicated_journal::stats() const {
  const std::lock_guard lock(stats_mutex_);
  auto now = stats_;
  now.queue_items = queue_.items();
  now.queue_bytes = queue_.bytes();
  now.malformed = malformed_.count();
  return now;
}

std::uint64_t replicated_journal::now_us() const {
  return options_.now_us ? options_.now_us() : static_cast<std::uint64_t>(clock_.monotonic().count()) * 1'000;
}

}  // namespace omnicart::cluster
