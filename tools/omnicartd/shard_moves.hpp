#pragma once

#include "http/cluster_report.hpp"

namespace omnicart::node {

// Marks the shards that are on the move, by the rule of the planner (cluster/placement/plan.hpp) and what the report says
// of its nodes: one that cannot be reached or leads nothing keeps no shard moving that only waits to be led by it.
void note_moves(http::cluster_report& of);

}  // namespace omnicart::node
