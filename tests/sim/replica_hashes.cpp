#include "tests/sim/replica_hashes.hpp"

#include <rocksdb/db.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>

namespace omnicart::sim {
namespace {

using persistence::family;

constexpr std::uint64_t whole_every = 16;

// A sum over records does not depend on their order, and one can be taken off again.
std::uint64_t hash_of(family which, std::string_view key, std::string_view value) {
  const auto hash =
      XXH3_64bits_withSeed(key.data(), key.size(), static_cast<std::uint64_t>(which) + 1);
  return XXH3_64bits_withSeed(value.data(), value.size(), hash);
}

template <class Visit>
void for_each_record(const persistence::store& data, std::uint16_t shard, const Visit& visit) {
  const auto first = persistence::shard_key(shard);
  const auto end = persistence::end_of_shard(shard);
  const rocksdb::Slice limit(end);
  rocksdb::ReadOptions how;
  how.iterate_upper_bound = &limit;
  how.total_order_seek = true;
  for (const auto which : {family::events, family::snapshots, family::receipts, family::timers}) {
    const std::unique_ptr<rocksdb::Iterator> at(data.db().NewIterator(how, data.of(which)));
    for (at->Seek(first); at->Valid(); at->Next())
      visit(which, at->key().ToStringView(), at->value().ToStringView());
  }
}

std::string readable(const content_key& key) {
  std::string text = std::string(to_string(key.first)) + ' ';
  for (const char each : key.second) text += each >= ' ' && each <= '~' ? each : '.';
  return text;
}

// A story's own choice of indexes, another on each node.
bool is_chosen(node_id node, std::uint16_t shard, std::uint64_t hash) {
  const std::uint64_t lot[] = {node, shard, hash};
  return XXH3_64bits(lot, sizeof lot) % whole_every == 0;
}

}  // namespace

std::uint64_t content_hash(const persistence::store& data, std::uint16_t shard) {
  std::uint64_t hash = 0;
  for_each_record(data, shard, [&](family which, std::string_view key, std::string_view value) {
    hash += hash_of(which, key, value);
  });
  return hash;
}

// --- what a log makes --------------------------------------------------------------------------

void shard_model::add(const persistence::log_entry& entry) {
  hashes_.push_back(hashes_.back());
  touched_.emplace_back();
  for (const auto& item : entry.items) add(item);
}

void shard_model::add(const persistence::logged_item& item) {
  const entity_ref entity{item.kind, item.id};
  const auto prefix = persistence::entity_prefix(shard_, entity);
  auto version = item.first_version;
  for (const auto& bytes : item.records) {
    if (!item.forgotten) put(family::events, persistence::event_key(prefix, version++), bytes);
  }
  if (item.forgotten) put(family::snapshots, prefix, std::nullopt);
  if (item.proof && !item.brief) {
    put(family::receipts, persistence::receipt_key(prefix, item.proof->id),
        persistence::encode(*item.proof));
  }
  if (item.timer) {
    const auto& [before, after] = *item.timer;
    if (before) put(family::timers, persistence::timer_key(shard_, *before, entity), std::nullopt);
    if (after) put(family::timers, persistence::timer_key(shard_, *after, entity), "");
    put(family::events, persistence::event_key(prefix, persistence::timer_marker_version),
        after ? std::optional(persistence::encode_time(*after)) : std::nullopt);
  }
  if (item.state) put(family::snapshots, prefix, persistence::encode(*item.state));
  if (item.cut_through == 0) return;
  for (auto cut = std::max<std::uint64_t>(item.cut_from, 1); cut <= item.cut_through; ++cut)
    put(family::events, persistence::event_key(prefix, cut), std::nullopt);
}

void shard_model::put(family which, std::string key, std::optional<std::string> value) {
  const content_key name{which, std::move(key)};
  auto& changes = records_[name];
  auto& hash = hashes_.back();
  if (!changes.empty() && changes.back().value)
    hash -= hash_of(which, name.second, *changes.back().value);
  if (value) hash += hash_of(which, name.second, *value);
  changes.push_back({last(), std::move(value)});
  touched_.back().insert(name);
}

const std::string* shard_model::find(const content_key& key, std::uint64_t index) const {
  const auto at = records_.find(key);
  if (at == records_.end()) return nullptr;
  const auto& changes = at->second;
  for (auto each = changes.rbegin(); each != changes.rend(); ++each) {
    if (each->index <= index) return each->value ? &*each->value : nullptr;
  }
  return nullptr;
}

std::string shard_model::difference(const persistence::store& data, std::uint64_t index) const {
  std::set<content_key> there;
  std::string found;
  for_each_record(data, shard_, [&](family which, std::string_view key, std::string_view value) {
    const auto& name = *there.emplace(which, key).first;
    const auto* made = find(name, index);
    if (made && *made == value) return;
    if (found.empty())
      found = readable(name) + (made ? " has another value" : " should not be there");
  });
  for (const auto& [name, changes] : records_) {
    if (found.empty() && !there.contains(name) && find(name, index))
      found = readable(name) + " is missing";
  }
  return found;
}

// --- the law -----------------------------------------------------------------------------------

replica_hashes::replica_hashes(sim_checks& checks, std::uint16_t group_count) : checks_(checks) {
  for (std::uint16_t shard = 0; shard < group_count; ++shard) models_.emplace_back(shard);
}

void replica_hashes::compare(node_id node, std::uint16_t shard, std::uint64_t before,
                             std::uint64_t applied, const persistence::store& data) {
  const auto& model = models_[shard];
  if (applied > model.last()) return violate(node, shard, applied, "nobody has told of this entry");
  if (before == 0 || is_chosen(node, shard, model.hash(applied)))
    return compare_all(node, shard, applied, data);
  std::set<content_key> keys;
  for (auto index = before + 1; index <= applied; ++index)
    keys.insert(model.touched(index).begin(), model.touched(index).end());
  std::string value;
  for (const auto& key : keys) {
    const auto got = data.db().Get({}, data.of(key.first), key.second, &value);
    const auto* made = model.find(key, applied);
    const bool same = made ? got.ok() && value == *made : got.IsNotFound();
    if (!same) return violate(node, shard, applied, readable(key) + " is not as its entry says");
  }
}

void replica_hashes::compare_all(node_id node, std::uint16_t shard, std::uint64_t applied,
                                 const persistence::store& data) {
  const auto& model = models_[shard];
  if (applied > model.last()) return violate(node, shard, applied, "nobody has told of this entry");
  ++compared_;
  if (content_hash(data, shard) == model.hash(applied)) return;
  violate(node, shard, applied, model.difference(data, applied));
}

void replica_hashes::violate(node_id node, std::uint16_t shard, std::uint64_t applied,
                             const std::string& what) {
  checks_.violate("replicas at the same index hold the same",
                  "node " + std::to_string(node) + ", shard " + std::to_string(shard) +
                      " at entry " + std::to_string(applied) + ": " + what);
}

}  // namespace omnicart::sim
