#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cluster/replicated_journal.hpp"
#include "tests/sim/sim_checks.hpp"

namespace omnicart::sim {

// The laws of one leader per shard and term, of one that answers from what it knows, and of one
// that knows all. Who leads shows in what it sends, long before anybody asks it, and in what its
// journal says.
class leader_terms {
 public:
  explicit leader_terms(sim_checks& checks) : checks_(checks) {}

  // The node behaves as the leader of the shard in this term.
  void claimed(std::uint16_t shard, std::uint64_t term, node_id node) {
    const auto [first, is_new] = leaders_.emplace(std::pair(shard, term), node);
    if (is_new || first->second == node) return;
    checks_.violate("one leader per shard and term", "nodes " + std::to_string(first->second) +
                                                         " and " + std::to_string(node) +
                                                         " lead shard " + std::to_string(shard) +
                                                         " in term " + std::to_string(term));
  }

  // It takes work from now on, with this much applied, and anybody has applied `committed`. A
  // leader who was replaced, and has not heard of it, may know less: its lease keeps it from
  // answering.
  void in_office(std::uint16_t shard, std::uint64_t term, node_id node, std::uint64_t applied,
                 std::uint64_t committed) {
    claimed(shard, term, node);
    const auto later = leaders_.upper_bound({shard, term});
    const bool replaced = later != leaders_.end() && later->first.first == shard;
    if (replaced || applied >= committed) return;
    checks_.violate("a leader has all that is committed",
                    "node " + std::to_string(node) + " has applied shard " + std::to_string(shard) +
                        " through " + std::to_string(applied) + " of " + std::to_string(committed));
  }

  // Messages of Raft that leave a node: some only a leader sends.
  void sent(const std::vector<cluster::shard_message>& messages) {
    for (const auto& [shard, content] : messages) {
      if (const auto* append = std::get_if<raft::append_request>(&content.body))
        claimed(shard, append->term, content.from);
      if (const auto* install = std::get_if<raft::install_request>(&content.body))
        claimed(shard, install->term, content.from);
    }
  }

  // All nodes that hold the shard's lease now.
  void reading(std::uint16_t shard, const std::vector<node_id>& nodes) {
    if (nodes.size() < 2) return;
    checks_.violate("one node at most reads a shard by its lease",
                    "nodes " + std::to_string(nodes[0]) + " and " + std::to_string(nodes[1]) +
                        " would answer for shard " + std::to_string(shard));
  }

 private:
  sim_checks& checks_;
  std::map<std::pair<std::uint16_t, std::uint64_t>, node_id> leaders_;
};

}  // namespace omnicart::sim
