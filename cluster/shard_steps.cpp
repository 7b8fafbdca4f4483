#include "cluster/shard_steps.hpp"

#include <algorithm>
#include <utility>

namespace omnicart::cluster {

shard_seen seen_of(const replica_view& view, node_id self, const std::vector<node_id>& living,
                   const reachable_fn& is_reachable) {
  shard_seen seen{.self = self,
                  .serving = view.serving,
                  .last = view.last,
                  .members = {},
                  .reachable_strangers = {}};
  for (const auto& [node, as] : view.members.servers) {
    member_seen member{.node = node, .as = as, .match = view.last, .reachable = is_reachable(node)};
    const auto at = std::ranges::find(view.followers, node, &follower_view::node);
    if (at != view.followers.end()) {
      member.match = at->match;
      member.catch_up = at->catch_up;
    }
    seen.members.push_back(member);
  }
  for (const auto node : living) {
    if (!raft::find(view.members, node) && is_reachable(node))
      seen.reachable_strangers.push_back(node);
  }
  return seen;
}

void take_step(replicated_journal& log, std::uint16_t shard, const shard_step& step,
               replicated_journal::done_fn done) {
  using kind = shard_step::kind;
  using change = raft::membership_change;
  const auto assign = [&](raft::role as) {
    return change{.what = change::kind::assign, .node = step.node, .as = as};
  };
  switch (step.what) {
    case kind::add_standby:
      return log.change_membership(shard, {.what = change::kind::add, .node = step.node},
                                   std::move(done));
    case kind::make_standby:
      return log.change_membership(shard, assign(raft::role::standby), std::move(done));
    case kind::promote:
      return log.change_membership(shard, assign(raft::role::voter), std::move(done));
    case kind::remove:
      return log.change_membership(shard, {.what = change::kind::remove, .node = step.node},
                                   std::move(done));
    case kind::catch_up:
      return log.catch_up(shard, step.node, std::move(done));
    case kind::transfer:
      return log.transfer(shard, step.node, std::move(done));
  }
}

node_id heir_of(const replica_view& view, const reachable_fn& is_reachable) {
  node_id best = no_node;
  raft::log_index most = 0;
  for (const auto& follower : view.followers) {
    const auto* member = raft::find(view.members, follower.node);
    if (member->as != raft::role::voter || !is_reachable(follower.node) || follower.match < most)
      continue;
    best = follower.node;
    most = follower.match;
  }
  return best;
}

}  // namespace omnicart::cluster
