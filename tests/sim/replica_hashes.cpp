#include "tests/sim/replica_hashes.hpp"

#include <rocksdb/db.h>
#include <xxhash.h>

#include <memory>
#include <string>

#include "persistence/key_layout.hpp"

namespace omnicart::sim {

std::uint64_t content_hash(const persistence::store& data, std::uint16_t shard) {
  using persistence::family;
  const auto first = persistence::shard_key(shard);
  const auto end = persistence::end_of_shard(shard);
  const rocksdb::Slice limit(end);
  rocksdb::ReadOptions how;
  how.iterate_upper_bound = &limit;
  std::uint64_t hash = 0;
  for (const auto which : {family::events, family::snapshots, family::receipts, family::timers}) {
    const std::unique_ptr<rocksdb::Iterator> at(data.db().NewIterator(how, data.of(which)));
    for (at->Seek(first); at->Valid(); at->Next()) {
      hash = XXH3_64bits_withSeed(at->key().data(), at->key().size(), hash + 1);
      hash = XXH3_64bits_withSeed(at->value().data(), at->value().size(), hash);
    }
  }
  return hash;
}

void replica_hashes::compare(node_id node, std::uint16_t shard, std::uint64_t applied,
                             std::uint64_t hash) {
  const auto [at, is_new] = seen_.emplace(std::pair(shard, applied), seen_hash{hash, node});
  if (is_new) return;
  if (at->second.first != node) ++compared_;
  if (at->second.hash == hash) return;
  checks_.violate("replicas at the same index hold the same",
                  "nodes " + std::to_string(at->second.first) + " and " + std::to_string(node) +
                      " differ in shard " + std::to_string(shard) + " at entry " +
                      std::to_string(applied));
}

}  // namespace omnicart::sim
