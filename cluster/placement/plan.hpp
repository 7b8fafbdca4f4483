#pragma once

#include <cstdint>
#include <vector>

#include "cluster/node_id.hpp"

// Who should hold which shard: reckoned from what is wanted now and what is seen. Pure.
namespace omnicart::cluster {

// A node that may hold shards; joining and removed ones are not shown.
struct plan_node {
  node_id node = no_node;
  bool active = true;     // false: draining
  bool reachable = true;  // now
  bool dead = false;      // unreachable for so long that others should take its place
};

struct plan_wish {
  std::vector<node_id> voters;  // the first one should lead
  bool pinned = false;          // as its leader was chosen by an operator, balance leaves it alone

  friend bool operator==(const plan_wish&, const plan_wish&) = default;
};

// The shard as Raft has it.
struct plan_seen {
  std::vector<node_id> voters;  // empty: not known, so nothing is changed there
  node_id leader = no_node;
};

struct plan_input {
  std::vector<plan_node> nodes;
  // By shard. The last is the group of the cluster's own record, which wants every active node's
  // vote, up to own_voters_max.
  std::vector<plan_wish> wanted;
  std::vector<plan_seen> seen;  // as many
  std::uint32_t replicas = 3;   // voters of a shard, as far as there are nodes
  std::uint32_t moves_max = 4;
};

inline constexpr std::size_t own_voters_max = 5;

struct planned {
  std::uint16_t shard = 0;
  std::vector<node_id> voters;

  friend bool operator==(const planned&, const planned&) = default;
};

// The lists that should change, by shard; empty when all is as it should be. Steps lead there one
// shard after the other, so it is to be asked again whenever something has moved:
// - of the shards, at most moves_max are on the move (or as many as are already); the own group
//   moves beside them. A shard is on the move while Raft's voters are not the wanted ones, or
//   another than the preferred leader leads although that one can be reached;
// - first leaderships leave the nodes that drain or are dead, then their replicas, as far as there
//   are other active nodes to take them. A node that drains keeps a replica that no other can take:
//   lower `replicas` to give it up. A dead one keeps its vote, too, until it can be replaced;
// - missing replicas are added, surplus ones dropped;
// - then replicas and leaders are spread to within one of each other over the active nodes.
std::vector<planned> plan(const plan_input& in);

// As above.
bool is_on_the_move(const plan_wish& wanted, const plan_seen& seen,
                    const std::vector<plan_node>& nodes);

// By shard, whether its leader may take steps now. What an operator wishes may set all shards on
// the move in one event; of those the moves_max lowest take steps and the others wait, so nodes
// that see the same agree without a word. Shards that stay where they are may always (followers
// come and go), the own group, too. One without a leader can take no step and keeps nobody waiting.
std::vector<bool> may_step(const plan_input& in);

}  // namespace omnicart::cluster
