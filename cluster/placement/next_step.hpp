#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cluster/node_id.hpp"
#include "cluster/raft/raft_group.hpp"

// How a shard gets from who holds it to who should: one small step of its leader at a time. Pure.
namespace omnicart::cluster {

struct shard_wish {
  std::vector<node_id> voters;  // the first one should lead
  std::vector<node_id>
      standbys;  // get the log and have no vote; those named above are ignored here
};

struct member_seen {
  node_id node = no_node;
  raft::role as = raft::role::standby;
  raft::log_index match = 0;  // the leader's own: its last entry
  raft::raft_group::catch_up_state catch_up = raft::raft_group::catch_up_state::none;
  bool reachable = false;  // by this node; itself always
  bool may_lead = true;    // false: it has just not taken over (transfer_pauses)
};

// A shard as its leader sees it.
struct shard_seen {
  node_id self = no_node;
  bool serving = false;  // leads, and no transfer is under way
  raft::log_index last = 0;
  std::vector<member_seen> members;          // all, itself among them
  std::vector<node_id> reachable_strangers;  // that are no members
};

struct shard_step {
  enum class kind : std::uint8_t { add_standby, make_standby, catch_up, promote, transfer, remove };
  kind what = kind::catch_up;
  node_id node = no_node;

  friend bool operator==(const shard_step&, const shard_step&) = default;
};
const char* to_string(shard_step::kind what);

// Further behind than this, a node is not up to date: its vote would not soon be of use.
inline constexpr raft::log_index lag_entries_max = 1'024;

// The leader's next step, or none: all is as wished, or something has to come first (an answer, a
// node that cannot be reached). It may be asked again at once and gives the same step; raft_group
// refuses what is under way already. What it promises:
// - the voters that are reachable and up to date are a majority after the step, if the step changes
//   who votes;
// - no vote is taken away while there would be fewer voters than wished;
// - leadership goes to the preferred leader as soon as that one can take it, and never stays with a
//   node that is not wished when another can. While nobody may lead, other steps go on.
std::optional<shard_step> next_step(const shard_wish& wish, const shard_seen& seen);

}  // namespace omnicart::cluster
