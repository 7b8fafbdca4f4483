#include "persistence/reader_pool.hpp"

#include <rocksdb/db.h>
#include <rocksdb/snapshot.h>

#include <utility>

#include "persistence/key_layout.hpp"
#include "persistence/rocksdb_options.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::persistence {
namespace {

error damaged(const entity_ref& entity, std::uint64_t version, const std::string& what) {
  return make_error(base_errc::io,
                    entity.str() + ", version " + std::to_string(version) + ": " + what);
}

// Versions and values of one entity's keys from a version on; `visit` returns an error to stop. False: not all of them
// are in memory, and `how` forbids the disk.
template <class Visit>
result<bool> scan_events(store& data, const rocksdb::ReadOptions& how, const std::string& prefix,
                   std::uint64_t first_version, const Visit& visit) {
  std::unique_ptr<rocksdb::Iterator> at(data.db().NewIterator(how, data.of(family::events)));
  for (at->Seek(event_key(prefix, first_version)); at->Valid(); at->Next()) {
    auto key = at->key().ToStringView();
    if (!key.starts_with(prefix)) break;
    key.remove_prefix(prefix.size());
    const auto version = decode_u64(key);
    if (!version) return fail(base_errc::io, "an event key of the wrong length");
    bool go_on = true;
    if (auto done = visit(*version, at->value().ToStringView(), go_on); !done)
      return fail(std::move(done.error()));
    if (!go_on) break;
  }
  if (at->status().IsIncomplete()) return false;
  if (!at->status().ok()) return fail(io_error("cannot read events", at->status()));
  return true;
}

rocksdb::ReadOptions entity_scan() {
  rocksdb::ReadOptions how;
  how.prefix_same_as_start = true;  // the bloom filter answers for entities without events
  return how;
}

}  // namespace

reader_pool::reader_pool(store& data, reader_pool_options options)
    : store_(data), options_(std::move(options)) {
  if (options_.executor) return;
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

reader_pool::~reader_pool() { stop(); }

template <class T>
result<T> reader_pool::noted(result<T> found) const {
  if (!found && found.error().is(base_errc::io) && options_.damaged)
    options_.damaged(found.error());
  return found;
}

void reader_pool::load(const entity_ref& entity, std::function<void(result<stored_entity>)> done) {
  if (!options_.executor && !stopping_) {
    // A new record, or one written lately, needs no disk: two changes of thread would cost more than the look.
    auto found = load_with(entity, rocksdb::kBlockCacheTier);
    if (!found) return done(fail(noted(std::move(found)).error()));
    if (*found) return done(std::move(**found));
  }
  submit([this, entity, done = std::move(done)](std::optional<error> refused) {
    done(refused ? fail(std::move(*refused)) : noted(load_now(entity)));
  });
}

void reader_pool::find_receipt(const entity_ref& entity, command_id id,
                               std::function<void(result<std::optional<receipt>>)> done) {
  submit([this, entity, id, done = std::move(done)](std::optional<error> refused) {
    done(refused ? fail(std::move(*refused)) : noted(find_receipt_now(entity, id)));
  });
}

void reader_pool::history(
    const entity_ref& entity, std::uint64_t first_version, std::size_t limit,
    std::function<void(result<std::vector<std::pair<std::uint64_t, event_record>>>)> done) {
  submit(
      [this, entity, first_version, limit, done = std::move(done)](std::optional<error> refused) {
        done(refused ? fail(std::move(*refused))
                     : noted(history_now(entity, first_version, limit)));
      });
}

entity_store::presence reader_pool::receipt_presence(const entity_ref& entity, command_id id) {
  const auto key = receipt_key(entity_prefix(store_.shard_of(entity), entity), id);
  std::string value;
  bool found = false;
  if (!store_.db().KeyMayExist({}, store_.of(family::receipts), key, &value, &found))
    return presence::absent;
  return found ? presence::present : presence::unknown;
}

result<stored_entity> reader_pool::load_now(const entity_ref& entity) const {
  auto found = load_with(entity, rocksdb::kReadAllTier);
  if (!found) return fail(std::move(found.error()));
  ensure(found->has_value(), "a read that may use the disk finds all there is");
  return std::move(**found);
}

result<std::optional<stored_entity>> reader_pool::load_with(const entity_ref& entity,
                                                            int tier) const {
  rocksdb::ManagedSnapshot one_moment(&store_.db());
  auto how = entity_scan();
  how.snapshot = one_moment.snapshot();
  how.fill_cache = false;  // what is loaded stays in the entity; its blocks would be cached for nobody
  how.read_tier = static_cast<rocksdb::ReadTier>(tier);
  const auto prefix = entity_prefix(store_.shard_of(entity), entity);
  stored_entity found;
  std::string bytes;
  const auto read = store_.db().Get(how, store_.of(family::snapshots), prefix, &bytes);
  if (read.IsIncomplete()) return std::optional<stored_entity>();
  if (read.ok()) {
    auto state = decode_snapshot(bytes);
    if (!state) return fail(damaged(entity, 0, "its snapshot: " + state.error().detail));
    found.state = std::move(*state);
  } else if (!read.IsNotFound()) {
    return fail(io_error("cannot read the snapshot of " + entity.str(), read));
  }
  auto next = found.state ? found.state->version + 1 : 1;
  const auto done =
      scan_events(store_, how, prefix, next, [&](auto version, auto value, bool&) -> status {
        if (version == timer_marker_version) {
          found.timer = decode_time(value);
          if (!found.timer) return fail(damaged(entity, version, "its timer is not readable"));
          return {};
        }
        if (version != next)
          return fail(damaged(entity, next, "missing; the next is " + std::to_string(version)));
        auto record = decode_event_record(value);
        if (!record) return fail(damaged(entity, version, record.error().detail));
        found.events.push_back(std::move(*record));
        ++next;
        return {};
      });
  if (!done) return fail(done.error());
  if (!*done) return std::optional<stored_entity>();
  return std::optional<stored_entity>(std::move(found));
}

result<std::optional<receipt>> reader_pool::find_receipt_now(const entity_ref& entity,
                                                             command_id id) const {
  const auto key = receipt_key(entity_prefix(store_.shard_of(entity), entity), id);
  std::string bytes;
  const auto read = store_.db().Get({}, store_.of(family::receipts), key, &bytes);
  if (read.IsNotFound()) return std::optional<receipt>();
  if (!read.ok()) return fail(io_error("cannot read a receipt of " + entity.str(), read));
  auto proof = decode_receipt(bytes);
  if (!proof) return fail(base_errc::io, entity.str() + ", receipt: " + proof.error().detail);
  return std::optional<receipt>(std::move(*proof));
}

result<std::vector<std::pair<std::uint64_t, event_record>>> reader_pool::history_now(
    const entity_ref& entity, std::uint64_t first_version, std::size_t limit) const {
  std::vector<std::pair<std::uint64_t, event_record>> found;
  if (limit == 0) return found;
  const auto prefix = entity_prefix(store_.shard_of(entity), entity);
  auto done = scan_events(store_, entity_scan(), prefix, first_version,
                          [&](auto version, auto value, bool& go_on) -> status {
                            if (version == timer_marker_version) return {};
                            auto record = decode_event_record(value);
                            if (!record)
                              return fail(damaged(entity, version, record.error().detail));
                            found.emplace_back(version, std::move(*record));
                            go_on = found.size() < limit;
                            return {};
                          });
  if (!done) return fail(std::move(done.error()));
  return found;
}

void reader_pool::submit(job work) {
  std::optional<error> refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = make_error(base_errc::shutting_down);
    } else if (!options_.executor && queue_.size() >= options_.queue_max) {
      refused = make_error(base_errc::overloaded, "too many reads wait already");
    } else if (!options_.executor) {
      queue_.push_back(std::move(work));
      wake_.notify_one();
      return;
    }
  }
  if (refused) {
    work(std::move(refused));
  } else {
    options_.executor([work = std::move(work)] { work(std::nullopt); });
  }
}

void reader_pool::run() {
  for (;;) {
    job work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !queue_.empty() || stopping_; });
      if (stopping_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work(std::nullopt);
  }
}

void reader_pool::stop() {
  std::deque<job> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(queue_);
    wake_.notify_all();
  }
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  for (auto& work : left) work(make_error(base_errc::shutting_down));
}

std::size_t reader_pool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace omnicart::persistence
