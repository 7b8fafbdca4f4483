#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "persistence/committed.hpp"
#include "persistence/store.hpp"
#include "runtime/placement.hpp"
#include "tests/sim/replica_hashes.hpp"
#include "tests/sim/sim_checks.hpp"

namespace omnicart::sim {

// What the cluster has committed, as its nodes apply it: the same entry at the same index on every
// node, without gaps, and each entity's versions in order. What is new is passed on to the checks
// of promises.
class committed_log {
 public:
  // `contents` hears of every entry too. Both outlive it.
  committed_log(sim_checks& checks, replica_hashes& contents, std::uint16_t group_count)
      : checks_(checks), contents_(contents), entries_(group_count) {}

  // The node has applied these. `data` is its store: an entry that nobody has told of, since
  // whoever applied it died before it could, is read there.
  void applied(node_id node, const persistence::committed_batch& batch, persistence::store& data);

  // The node has started with this much applied: what it wrote as an only voter, and died before it
  // could tell, counts.
  void started(node_id node, std::uint16_t group, std::uint64_t applied, persistence::store& data) {
    if (applied > entries_[group].size()) read_up_to(node, group, applied, data);
  }

  // Of every entity, from the first event.
  const history& past() const { return past_; }
  std::uint64_t last(std::uint16_t group) const { return entries_[group].size(); }

 private:
  struct known_entry {
    std::uint64_t hash = 0;
    node_id from = 0;  // who applied it first
  };
  void applied(node_id node, const persistence::committed_entry& each, persistence::store& data);
  void read_up_to(node_id node, std::uint16_t group, std::uint64_t index, persistence::store& data);
  void add(node_id node, const persistence::committed_entry& fresh);

  sim_checks& checks_;
  replica_hashes& contents_;
  std::vector<std::vector<known_entry>> entries_;  // by group, from index 1
  history past_;
};

}  // namespace omnicart::sim
