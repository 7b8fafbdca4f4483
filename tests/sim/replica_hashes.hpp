#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "persistence/store.hpp"
#include "runtime/placement.hpp"
#include "tests/sim/sim_checks.hpp"

namespace omnicart::sim {

// Hash over all that the store holds of the shard but its log and Raft's own records.
std::uint64_t content_hash(const persistence::store& data, std::uint16_t shard);

// The law that replicas which have applied equally much hold the same.
class replica_hashes {
 public:
  explicit replica_hashes(sim_checks& checks) : checks_(checks) {}

  // Reading a whole shard takes time, so it is done at indexes that this divides, the same on every
  // node: a difference stays, and is found a little later at most.
  static constexpr std::uint64_t every = 16;

  // What the node holds at this index.
  void compare(node_id node, std::uint16_t shard, std::uint64_t applied, std::uint64_t hash);
  std::uint64_t compared() const { return compared_; }

 private:
  struct seen_hash {
    std::uint64_t hash = 0;
    node_id first = 0;
  };
  sim_checks& checks_;
  std::map<std::pair<std::uint16_t, std::uint64_t>, seen_hash> seen_;
  std::uint64_t compared_ = 0;  // with that of another node
};

}  // namespace omnicart::sim
