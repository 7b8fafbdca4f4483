#include "cluster/replica_storage.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <utility>

#include "cluster/raft/membership.hpp"
#include "persistence/rocksdb_options.hpp"
#include "persistence/shard_log.hpp"
#include "runtime/base/codec.hpp"

namespace omnicart::cluster {
namespace {

using persistence::entry_kind;
using persistence::family;
using persistence::log_key;

std::string key_of(std::string_view what, std::uint16_t shard) { return std::string(what) + persistence::shard_key(shard); }
std::string record_key(std::uint16_t shard) { return key_of(persistence::replica_record_prefix, shard); }

error damaged(std::uint16_t shard, const std::string& what) {
  return make_error(base_errc::io, "replica of shard " + std::to_string(shard) + ": " + what);
}

raft::payload bytes_of(std::string bytes) { return std::make_shared<const std::string>(std::move(bytes)); }

bool is_only_voter(const std::optional<stored_configuration>& latest) {
  return latest && raft::voters_of(latest->members).size() == 1;
}

}  // namespace

std::string applied_key(std::uint16_t shard) { return key_of(persistence::applied_prefix, shard); }
std::string copying_key(std::uint16_t shard) { return key_of(persistence::copying_prefix, shard); }

void replica_record::add(stored_configuration latest_now, raft::log_index applied) {
  if (previous) older.push_back(std::move(*previous));
  previous = std::exchange(latest, std::move(latest_now));
  // What is applied needs only the last one before it.
  while (previous && previous->index <= applied && !older.empty()) older.erase(older.begin());
  while (older.size() > 1 && older[1].index <= applied) older.erase(older.begin());
}

bool replica_record::take_back(raft::log_index first) {
  bool any = false;
  for (; latest && latest->index >= first; any = true) {
    latest = std::exchange(previous, std::nullopt);
    if (older.empty()) continue;
    previous = std::move(older.back());
    older.pop_back();
  }
  return any;
}

const stored_configuration* replica_record::in_use_at(raft::log_index index) const {
  if (latest && latest->index <= index) return &*latest;
  if (previous && previous->index <= index) return &*previous;
  const auto found = std::find_if(older.rbegin(), older.rend(), [&](const auto& one) { return one.index <= index; });
  return found == older.rend() ? nullptr : &*found;
}

raft::log_entry raft_entry(raft::log_index index, const persistence::log_entry& stored, std::string value) {
  raft::log_entry entry{.index = index, .term = stored.term, .type = raft::entry_type::command, .bytes = {}};
  switch (stored.what) {
    case entry_kind::items: entry.bytes = bytes_of(std::move(value)); break;
    case entry_kind::barrier: entry.type = raft::entry_type::barrier; break;
    case entry_kind::change:
      entry.type = raft::entry_type::change;
      entry.bytes = bytes_of(stored.change);
      break;
  }
  return entry;
}

std::string stored_value(const raft::log_entry& entry, timestamp_ms time) {
  persistence::log_entry stored{.term = entry.term, .time = time, .items = {}, .what = entry_kind::barrier, .change = {}};
  switch (entry.type) {
    case raft::entry_type::command: return *entry.bytes;
    case raft::entry_type::barrier: break;
    case raft::entry_type::change:
      stored.what = entry_kind::change;
      stored.change = *entry.bytes;
      break;
  }
  return encode(stored);
}

result<std::optional<std::string>> replica_storage::get(const std::string& key) const {
  std::string bytes;
  const auto read = store_.db().Get({}, store_.of(family::meta), key, &bytes);
  if (read.IsNotFound()) return std::optional<std::string>();
  if (!read.ok()) return fail(persistence::io_error("cannot read a replica's record", read));
  return std::optional<std::string>(std::move(bytes));
}

result<stored_replica> replica_storage::recover(std::uint16_t shard, raft::node_id founder,
                                                std::size_t trailing) const {
  stored_replica fresh;
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator({}, store_.of(family::log)));
  raft::term_number last_term = 0;
  at->SeekForPrev(log_key(shard, std::numeric_limits<std::uint64_t>::max()));
  if (!at->status().ok()) return fail(persistence::io_error("cannot read the log", at->status()));
  if (const auto here = at->Valid() ? persistence::parse_log_key(at->key().ToStringView()) : std::nullopt;
      here && here->shard == shard) {
    const auto entry = persistence::decode_log_entry(at->value().ToStringView());
    if (!entry) return fail(damaged(shard, "entry " + std::to_string(here->index) + ": " + entry.error().detail));
    fresh.last = here->index;
    fresh.time = entry->time;
    last_term = entry->term;
  }
  const auto bytes = get(record_key(shard));
  if (!bytes) return fail(bytes.error());
  if (!*bytes) {
    if (auto begun = found(fresh, founder, fresh.last, last_term); !begun) return fail(begun.error());
    return fresh;
  }
  auto record = codec::decode<replica_record>(**bytes);
  if (!record) return fail(damaged(shard, record.error().detail));
  fresh.record = std::move(*record);
  fresh.state.hard = fresh.record.hard;
  const auto copying = get(copying_key(shard));
  if (!copying) return fail(copying.error());
  fresh.is_copying = copying->has_value();
  const auto applied = get(applied_key(shard));
  if (!applied) return fail(applied.error());
  fresh.applied = is_only_voter(fresh.record.latest) ? fresh.last : 0;
  if (*applied) {
    const auto index = persistence::decode_u64(**applied);
    if (!index) return fail(damaged(shard, "its position is not readable"));
    fresh.applied = *index;
    fresh.applied_is_written = true;
  }
  if (fresh.applied > 0) {
    const auto term = term_at(shard, fresh.applied);
    if (!term) return fail(term.error());
    const auto* members = fresh.record.in_use_at(fresh.applied);
    if (!members) return fail(damaged(shard, "nobody belongs to it"));
    fresh.state.snapshot = raft::snapshot_metadata{.index = fresh.applied,
                                                   .term = *term,
                                                   .configuration_index = members->index,
                                                   .members = members->members};
    if (fresh.record.latest->members.servers.size() > 1) {
      if (auto done = read_trailing(shard, fresh.applied, trailing, fresh.state.entries); !done) return fail(done.error());
    }
  }
  auto rest = read(shard, fresh.applied + 1, std::numeric_limits<std::size_t>::max());
  if (!rest) return fail(rest.error());
  std::move(rest->begin(), rest->end(), std::back_inserter(fresh.state.entries));
  return fresh;
}

result<std::vector<raft::log_entry>> replica_storage::read_last(std::uint16_t shard, raft::log_index last,
                                                                std::size_t count) const {
  const auto stored = persistence::shard_log(store_).stored(shard);
  if (!stored) return fail(stored.error());
  const auto first = std::max<raft::log_index>(last > count ? last - count + 1 : 1, stored->first);
  if (first > last || stored->first == 0) return std::vector<raft::log_entry>{};
  return read(shard, first, last - first + 1);
}

result<raft::term_number> replica_storage::term_at(std::uint16_t shard, raft::log_index index) const {
  const auto one = read(shard, index, 1);
  if (!one) return fail(one.error());
  if (one->empty()) return fail(damaged(shard, "entry " + std::to_string(index) + " is missing"));
  return one->front().term;
}

// Terms only rise, and seldom: where both ends have the same, so has all between them.
status replica_storage::read_terms(std::uint16_t shard, raft::log_index first, raft::log_index last,
                                   std::vector<raft::log_entry>& into) const {
  const auto low = term_at(shard, first);
  if (!low) return fail(low.error());
  const auto high = term_at(shard, last);
  if (!high) return fail(high.error());
  if (*low != *high && last - first > 1) {
    const auto middle = first + (last - first) / 2;
    if (auto done = read_terms(shard, first, middle, into); !done) return done;
    return read_terms(shard, middle + 1, last, into);
  }
  for (auto index = first; index <= last; ++index) {
    into.push_back({.index = index, .term = index == last ? *high : *low, .type = raft::entry_type::command, .bytes = {}});
  }
  return {};
}

status replica_storage::read_trailing(std::uint16_t shard, raft::log_index last, std::size_t count,
                                      std::vector<raft::log_entry>& into) const {
  const auto stored = persistence::shard_log(store_).stored(shard);
  if (!stored) return fail(stored.error());
  const auto wanted = last > count ? last - count + 1 : 1;
  const auto first = std::max<raft::log_index>(wanted, stored->first);
  if (first > last || count == 0) return {};
  if (auto done = read_terms(shard, first, last, into); !done) return done;
  std::erase_if(into, [](const auto& entry) { return entry.term == 0; });  // written before there was any replication
  return {};
}

status replica_storage::found(stored_replica& fresh, raft::node_id founder, raft::log_index last,
                              raft::term_number last_term) const {
  if (founder == 0) {
    if (last > 0) return fail(base_errc::io, "a log without a replica's record on a node that founded nothing");
    return {};
  }
  const raft::configuration alone{{{.node = founder, .as = raft::role::voter}}};
  const auto first = raft::first_entry(alone);
  fresh.record.hard.term = std::max(last_term, first.term);
  fresh.state.hard = fresh.record.hard;
  fresh.is_new = true;
  if (last == 0) {
    fresh.record.latest = {.index = first.index, .members = alone};
    fresh.state.entries = {first};
    return {};
  }
  fresh.applied = last;
  fresh.record.latest = {.index = last, .members = alone};
  fresh.state.snapshot = raft::snapshot_metadata{
      .index = last, .term = last_term, .configuration_index = last, .members = alone};
  return {};
}

result<std::optional<raft::node_id>> replica_storage::owner() const {
  const auto bytes = get(std::string(persistence::node_key));
  if (!bytes) return fail(bytes.error());
  if (!*bytes) return std::optional<raft::node_id>();
  const auto node = persistence::decode_u64(**bytes);
  if (!node) return fail(base_errc::io, "the number of the store's node is not readable");
  return std::optional<raft::node_id>(*node);
}

void replica_storage::put_owner(raft::node_id self, rocksdb::WriteBatch& out) const {
  out.Put(store_.of(family::meta), std::string(persistence::node_key), persistence::encode_u64(self));
}

void replica_storage::put(std::uint16_t shard, const replica_record& record, rocksdb::WriteBatch& out) const {
  out.Put(store_.of(family::meta), record_key(shard), codec::encode(record));
}

void replica_storage::put_applied(std::uint16_t shard, std::optional<raft::log_index> applied,
                                  rocksdb::WriteBatch& out) const {
  if (applied) {
    out.Put(store_.of(family::meta), applied_key(shard), persistence::encode_u64(*applied));
  } else {
    out.Delete(store_.of(family::meta), applied_key(shard));
  }
}

void replica_storage::put_copying(std::uint16_t shard, bool is_copying, rocksdb::WriteBatch& out) const {
  if (is_copying) {
    out.Put(store_.of(family::meta), copying_key(shard), {});
  } else {
    out.Delete(store_.of(family::meta), copying_key(shard));
  }
}

void replica_storage::put_installed(std::uint16_t shard, const raft::snapshot_metadata& installed,
                                    const std::string& value, const replica_record& record,
                                    rocksdb::WriteBatch& out) const {
  out.DeleteRange(store_.of(family::log), persistence::shard_key(shard), persistence::end_of_shard(shard));
  out.Put(store_.of(family::log), log_key(shard, installed.index), value);
  put(shard, record, out);
  put_applied(shard, installed.index, out);
}

void replica_storage::put_entry(std::uint16_t shard, const raft::log_entry& entry, timestamp_ms time,
                                rocksdb::WriteBatch& out) const {
  out.Put(store_.of(family::log), log_key(shard, entry.index), stored_value(entry, time));
}

void replica_storage::remove_entries(std::uint16_t shard, raft::log_index first, raft::log_index last,
                                     rocksdb::WriteBatch& out) const {
  for (auto index = first; index <= last; ++index) out.Delete(store_.of(family::log), log_key(shard, index));
}

void replica_storage::remove_range(std::uint16_t shard, raft::log_index last, rocksdb::WriteBatch& out) const {
  out.DeleteRange(store_.of(family::log), persistence::shard_key(shard), log_key(shard, last + 1));
}

result<std::vector<raft::log_entry>> replica_storage::read(std::uint16_t shard, raft::log_index first,
                                                           std::size_t count) const {
  std::vector<raft::log_entry> entries;
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator({}, store_.of(family::log)));
  auto next = first;
  for (at->Seek(log_key(shard, first)); at->Valid() && entries.size() < count; at->Next(), ++next) {
    const auto here = persistence::parse_log_key(at->key().ToStringView());
    if (!here || here->shard != shard) break;
    if (here->index != next) return fail(damaged(shard, "entry " + std::to_string(next) + " is missing"));
    auto stored = persistence::decode_log_entry(at->value().ToStringView());
    if (!stored) return fail(damaged(shard, "entry " + std::to_string(next) + ": " + stored.error().detail));
    entries.push_back(raft_entry(next, *stored, at->value().ToString()));
  }
  if (!at->status().ok()) return fail(persistence::io_error("cannot read the log", at->status()));
  return entries;
}

}  // namespace omnicart::cluster
