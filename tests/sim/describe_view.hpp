#pragma once

#include <string>

#include "cluster/replica_view.hpp"

namespace omnicart::sim {

// One replica on one line, for the story of a run that failed.
inline std::string describe(const cluster::replica_view& view) {
  std::string text = "shard " + std::to_string(view.shard) + ": term " + std::to_string(view.term) + ", leader " +
                     std::to_string(view.leader) + (view.serving ? " (serving)" : "") + ", commit " +
                     std::to_string(view.commit) + (view.whole ? ", applied " : ", content on its way, applied ") +
                     std::to_string(view.applied) + ", last " + std::to_string(view.last) + ", members";
  for (const auto& each : view.members.servers) {
    text += ' ' + std::to_string(each.node) +
            (each.as == raft::role::voter     ? "v"
             : each.as == raft::role::standby ? "s"
                                              : "-");
  }
  return text;
}

}  // namespace omnicart::sim
