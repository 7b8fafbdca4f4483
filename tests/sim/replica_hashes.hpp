#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "persistence/store.hpp"
#include "runtime/placement.hpp"
#include "tests/sim/sim_checks.hpp"

namespace omnicart::sim {

// All that the store holds of the shard but its log and Raft's own records: by family and key.
using shard_content = std::map<std::pair<persistence::family, std::string>, std::string>;
shard_content content_of(const persistence::store& data, std::uint16_t shard);
// Hash over the same.
std::uint64_t content_hash(const persistence::store& data, std::uint16_t shard);

// The law that replicas which have applied equally much hold the same.
class replica_hashes {
 public:
  explicit replica_hashes(sim_checks& checks) : checks_(checks) {}

  // Reading a whole shard takes time, so it is done at indexes that this divides, the same on every
  // node: a difference stays, and is found a little later at most.
  static constexpr std::uint64_t every = 16;

  // What the node's store holds at this index.
  void compare(node_id node, std::uint16_t shard, std::uint64_t applied,
               const persistence::store& data);
  // From now on a difference is named; costs memory.
  void keep_contents() { keeps_ = true; }
  std::uint64_t compared() const { return compared_; }

 private:
  struct seen_hash {
    std::uint64_t hash = 0;
    node_id first = 0;
    shard_content kept;
  };
  sim_checks& checks_;
  std::map<std::pair<std::uint16_t, std::uint64_t>, seen_hash> seen_;
  bool keeps_ = false;
  std::uint64_t compared_ = 0;  // with that of another node
};

}  // namespace omnicart::sim
