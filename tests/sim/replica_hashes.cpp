#include "tests/sim/replica_hashes.hpp"

#include <rocksdb/db.h>
#include <xxhash.h>

#include <memory>
#include <string>

#include "persistence/key_layout.hpp"

namespace omnicart::sim {

namespace {

using persistence::family;

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
    for (at->Seek(first); at->Valid(); at->Next()) visit(which, at->key(), at->value());
  }
}

std::string readable(const std::string& bytes) {
  std::string text;
  for (const char each : bytes) text += each >= ' ' && each <= '~' ? each : '.';
  return text;
}

std::string difference(const shard_content& one, const shard_content& other) {
  for (const auto& [key, value] : one) {
    const auto same = other.find(key);
    if (same != other.end() && same->second == value) continue;
    return std::string(to_string(key.first)) + ' ' + readable(key.second) +
           (same == other.end() ? " is on the first only" : " has two values");
  }
  for (const auto& [key, value] : other) {
    if (!one.contains(key))
      return std::string(to_string(key.first)) + ' ' + readable(key.second) +
             " is on the second only";
  }
  return "a replay with its story names the record";
}

}  // namespace

shard_content content_of(const persistence::store& data, std::uint16_t shard) {
  shard_content all;
  for_each_record(data, shard, [&](family which, const auto& key, const auto& value) {
    all[{which, key.ToString()}] = value.ToString();
  });
  return all;
}

std::uint64_t content_hash(const persistence::store& data, std::uint16_t shard) {
  std::uint64_t hash = 0;
  for_each_record(data, shard, [&](family, const auto& key, const auto& value) {
    hash = XXH3_64bits_withSeed(key.data(), key.size(), hash + 1);
    hash = XXH3_64bits_withSeed(value.data(), value.size(), hash);
  });
  return hash;
}

void replica_hashes::compare(node_id node, std::uint16_t shard, std::uint64_t applied,
                             const persistence::store& data) {
  const auto hash = content_hash(data, shard);
  const auto [at, is_new] = seen_.emplace(std::pair(shard, applied), seen_hash{hash, node, {}});
  auto& seen = at->second;
  if (is_new && keeps_) seen.kept = content_of(data, shard);
  if (is_new) return;
  if (seen.first != node) ++compared_;
  if (seen.hash == hash) return;
  checks_.violate("replicas at the same index hold the same",
                  "nodes " + std::to_string(seen.first) + " and " + std::to_string(node) +
                      " differ in shard " + std::to_string(shard) + " at entry " +
                      std::to_string(applied) + ": " +
                      difference(seen.kept, keeps_ ? content_of(data, shard) : shard_content{}));
}

}  // namespace omnicart::sim
