#pragma once

#include <functional>
#include <vector>

#include "cluster/placement/next_step.hpp"
#include "cluster/replicated_journal.hpp"

// Between a shard's leader and the pure rules of cluster/placement: what it sees, and the step it
// takes.
namespace omnicart::cluster {

using reachable_fn = std::function<bool(node_id)>;

// What `self`, which leads the shard, sees of it. `living`: the nodes that may become members.
shard_seen seen_of(const replica_view& view, node_id self, const std::vector<node_id>& living,
                   const reachable_fn& is_reachable);

// Asks it of the journal. `done` as of replicated_journal; called once.
void take_step(replicated_journal& log, std::uint16_t shard, const shard_step& step,
               replicated_journal::done_fn done);

// The reachable voter that has the most of the log and so may lead soonest; no_node: there is none.
node_id heir_of(const replica_view& view, const reachable_fn& is_reachable);

}  // namespace omnicart::cluster
