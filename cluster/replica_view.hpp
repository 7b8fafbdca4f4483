#pragma once

#include <cstdint>
#include <vector>

#include "cluster/node_id.hpp"
#include "cluster/raft/raft_group.hpp"

namespace omnicart::cluster {

// Another member of the shard, as its leader knows it.
struct follower_view {
  node_id node = no_node;
  raft::log_index match = 0;  // known to be on its disk
  raft::raft_group::catch_up_state catch_up = raft::raft_group::catch_up_state::none;
};

// What a node knows of its replica of one shard, as it was at the end of a round of the journal.
struct replica_view {
  std::uint16_t shard = 0;
  raft::term_number term = 0;
  node_id leader = no_node;
  bool leading = false;  // this node is Raft's leader
  bool serving =
      false;  // and may be given work: all earlier terms are applied, no transfer is under way
  raft::configuration
      members;  // in use, committed or not; empty: it waits for a leader that knows it
  bool whole =
      true;  // false: the content is being replaced by another node's, and says nothing yet
  bool stopped =
      false;  // its leader contradicts what is committed here: it takes and gives nothing any more
  raft::log_index commit = 0;
  raft::log_index applied = 0;
  raft::log_index last = 0;
  std::vector<follower_view> followers;  // while leading: the other members, in the members' order
};

}  // namespace omnicart::cluster
