#include "tools/omnicartd/shard_moves.hpp"

#include <vector>

#include "cluster/placement/plan.hpp"

namespace omnicart::node {

void note_moves(http::cluster_report& of) {
  std::vector<cluster::plan_node> nodes;
  for (const auto& n : of.nodes) {
    if (!cluster_record::is_serving(n.what)) continue;
    nodes.push_back({.node = n.what.id,
                     .active = n.what.state == cluster_record::node_state::active,
                     .reachable = n.reachable && !n.unfit.any(),
                     .dead = false});
  }
  for (auto& s : of.shards) {
    if (s.desired.voters.empty()) continue;
    cluster::plan_seen seen{.voters = {}, .leader = s.leader};
    for (const auto& m : s.voters) seen.voters.push_back(m.node);
    s.moving = cluster::is_on_the_move({.voters = s.desired.voters, .pinned = s.desired.pinned}, seen, nodes);
  }
}

}  // namespace omnicart::node
