#include "persistence/timer_index.hpp"

#include <rocksdb/db.h>

#include <algorithm>

#include "persistence/key_layout.hpp"
#include "persistence/rocksdb_options.hpp"

namespace omnicart::persistence {
namespace {

void lower(std::optional<timestamp_ms>& bound, timestamp_ms to) {
  if (!bound || to < *bound) bound = to;
}

error unreadable(std::uint16_t shard) {
  return make_error(base_errc::io,
                    "timers of shard " + std::to_string(shard) + " hold a key that is none");
}

}  // namespace

result<std::unique_ptr<timer_index>> timer_index::open(store& data) {
  std::unique_ptr<timer_index> opened(new timer_index(data));
  if (auto done = opened->recover(); !done) return fail(std::move(done.error()));
  return opened;
}

status timer_index::recover() {
  for (std::uint16_t shard = 0; shard < shards_.size(); ++shard) {
    if (auto done = reload(shard); !done) return done;
  }
  return {};
}

status timer_index::reload(std::uint16_t number) {
  const std::lock_guard lock(mutex_);
  shards_[number] = {};
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator({}, store_.of(family::timers)));
  at->Seek(shard_key(number));
  if (!at->status().ok()) return fail(io_error("cannot read timers", at->status()));
  if (!at->Valid() || !at->key().starts_with(shard_key(number))) return {};
  const auto first = parse_timer_key(at->key().ToStringView());
  if (!first) return fail(unreadable(number));
  shards_[number].earliest = first->due;
  return {};
}

std::optional<timestamp_ms> timer_index::next_due() const {
  const std::lock_guard lock(mutex_);
  std::optional<timestamp_ms> next;
  for (const auto& shard : shards_) {
    if (shard.earliest) lower(next, *shard.earliest);
    if (shard.retry_at) lower(next, *shard.retry_at);
  }
  return next;
}

result<std::vector<std::pair<entity_ref, timestamp_ms>>> timer_index::take_due(const shard_filter& of,
                                                                               timestamp_ms now, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<entity_ref, timestamp_ms>> due;
  for (std::size_t visited = 0; visited < shards_.size() && due.size() < limit; ++visited) {
    const auto shard = static_cast<std::uint16_t>(next_shard_);
    if (of(shard)) {
      if (auto done = take_from(shard, now, limit, due); !done) return fail(std::move(done.error()));
    }
    next_shard_ = (next_shard_ + 1) % shards_.size();
  }
  return due;
}

void timer_index::requeue(shard_timers& shard, timestamp_ms now) {
  shard.retry_at.reset();
  for (auto at = shard.handed_out.begin(); at != shard.handed_out.end();) {
    const auto again = at->second + retry_after;
    if (again <= now) {
      lower(shard.earliest, parse_timer_key(at->first)->due);
      at = shard.handed_out.erase(at);
    } else {
      lower(shard.retry_at, again);
      ++at;
    }
  }
}

status timer_index::take_from(std::uint16_t number, timestamp_ms now, std::size_t limit,
                              std::vector<std::pair<entity_ref, timestamp_ms>>& due) {
  auto& shard = shards_[number];
  if (shard.retry_at && *shard.retry_at <= now) requeue(shard, now);
  if (!shard.earliest || *shard.earliest > now) return {};
  // From the bound on, not from the start of the shard: there lie the tombstones of all timers
  // past.
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator({}, store_.of(family::timers)));
  for (at->Seek(shard_key(number) + encode_time(*shard.earliest)); at->Valid(); at->Next()) {
    if (!at->key().starts_with(shard_key(number))) break;
    auto timer = parse_timer_key(at->key().ToStringView());
    if (!timer) return fail(unreadable(number));
    std::string key = at->key().ToString();
    if (timer->due <= now && shard.handed_out.contains(key)) continue;
    if (timer->due > now || due.size() == limit) {
      shard.earliest = timer->due;
      return {};
    }
    shard.handed_out.emplace(std::move(key), now);
    lower(shard.retry_at, now + retry_after);
    due.emplace_back(std::move(timer->entity), timer->due);
  }
  if (!at->status().ok()) return fail(io_error("cannot read timers", at->status()));
  shard.earliest.reset();
  return {};
}

result<std::vector<entity_ref>> timer_index::take_ahead(std::uint16_t shard, timestamp_ms until, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(ahead_shard_, shard) != shard) ahead_key_.clear();
  std::vector<entity_ref> ahead;
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator({}, store_.of(family::timers)));
  for (at->Seek(ahead_key_.empty() ? shard_key(shard) : ahead_key_); at->Valid(); at->Next()) {
    if (!at->key().starts_with(shard_key(shard))) break;
    if (at->key() == ahead_key_) continue;
    auto timer = parse_timer_key(at->key().ToStringView());
    if (!timer) return fail(unreadable(shard));
    if (timer->due > until) break;
    if (ahead.size() == limit) return ahead;
    ahead_key_ = at->key().ToString();
    if (!shards_[shard].handed_out.contains(ahead_key_)) ahead.push_back(std::move(timer->entity));
  }
  if (!at->status().ok()) return fail(io_error("cannot read timers", at->status()));
  if (ahead.size() < limit) ahead_key_.clear();
  return ahead;
}

void timer_index::changed(std::uint16_t shard, const entity_ref& entity,
                          std::optional<timestamp_ms> before, std::optional<timestamp_ms> after) {
  const std::lock_guard lock(mutex_);
  auto& timers = shards_[shard];
  if (before && !timers.handed_out.empty())
    timers.handed_out.erase(timer_key(shard, *before, entity));
  if (after) lower(timers.earliest, *after);
}

}  // namespace omnicart::persistence
