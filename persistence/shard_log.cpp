#include "persistence/shard_log.hpp"

#include <rocksdb/db.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "persistence/rocksdb_options.hpp"

namespace omnicart::persistence {
namespace {

error damaged(std::uint16_t shard, std::uint64_t index, const std::string& what) {
  return make_error(base_errc::io, "log of shard " + std::to_string(shard) + ", entry " +
                                       std::to_string(index) + ": " + what);
}

// The index of the log key that the iterator stands on; 0 when it stands outside the shard.
std::uint64_t index_at(const rocksdb::Iterator& at, std::uint16_t shard) {
  if (!at.Valid()) return 0;
  const auto position = parse_log_key(at.key().ToStringView());
  return position && position->shard == shard ? position->index : 0;
}

}  // namespace

result<std::vector<committed_entry>> shard_log::read(std::uint16_t shard, std::uint64_t first_index,
                                                     std::size_t entries_max,
                                                     std::size_t bytes_max) const {
  std::vector<committed_entry> entries;
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator({}, store_.of(family::log)));
  auto next = std::max<std::uint64_t>(first_index, 1);
  std::size_t bytes = 0;
  for (at->Seek(log_key(shard, next)); entries.size() < entries_max && bytes < bytes_max;
       at->Next()) {
    const auto index = index_at(*at, shard);
    if (index == 0) break;
    if (index != next && entries.empty()) {
      return fail(base_errc::not_found, "the log of shard " + std::to_string(shard) +
                                            " begins at entry " + std::to_string(index));
    }
    if (index != next) return fail(damaged(shard, next, "missing"));
    auto entry = decode_log_entry(at->value().ToStringView());
    if (!entry) return fail(damaged(shard, index, entry.error().detail));
    bytes += at->value().size();
    entries.push_back({.shard = shard, .index = index, .entry = std::move(*entry)});
    ++next;
  }
  if (!at->status().ok()) return fail(io_error("cannot read the log", at->status()));
  return entries;
}

result<shard_log::extent> shard_log::stored(std::uint16_t shard) const {
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator({}, store_.of(family::log)));
  extent all;
  at->Seek(shard_key(shard));
  all.first = index_at(*at, shard);
  if (all.first != 0) {
    at->SeekForPrev(log_key(shard, std::numeric_limits<std::uint64_t>::max()));
    all.last = index_at(*at, shard);
  }
  if (!at->status().ok()) return fail(io_error("cannot read the log", at->status()));
  return all;
}

status shard_log::truncate(std::uint16_t shard, std::uint64_t through) {
  const auto all = stored(shard);
  if (!all) return fail(all.error());
  if (all->last == 0) return {};
  const auto end = std::min(through, all->last - 1) + 1;
  if (end <= all->first) return {};
  // From the shard's lowest key on, which no entry has (place_of_last in rocksdb_options.cpp).
  const auto done = store_.db().DeleteRange({}, store_.of(family::log), shard_key(shard), log_key(shard, end));
  if (!done.ok()) return fail(io_error("cannot truncate the log", done));
  return {};
}

}  // namespace omnicart::persistence
