#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "http/cluster_report.hpp"

namespace omnicart::http::trial {

// Nodes n1 to nN, and six shards with the record's own group, all on all, led by n1.
inline cluster_report sound_cluster(std::size_t nodes) {
  cluster_report of{.cluster = std::string(32, 'c'),
                    .self = 1,
                    .at = timestamp_ms{std::chrono::hours(1)},
                    .shard_count = 5,
                    .settings = {},
                    .nodes = {},
                    .shards = {},
                    .operations = {}};
  std::vector<cluster_record::node_id> voters;
  for (cluster_record::node_id id = 1; id <= nodes; ++id) {
    voters.push_back(id);
    of.nodes.push_back({.what = {.id = id,
                                 .name = "n" + std::to_string(id),
                                 .link = "10.0.0.1:7000",
                                 .http = {},
                                 .operators = {},
                                 .state = cluster_record::node_state::active,
                                 .since = {}},
                        .version = "0.1.0"});
  }
  for (std::uint16_t shard = 0; shard <= of.shard_count; ++shard) {
    cluster_report::shard s{.number = shard,
                            .term = 3,
                            .leader = 1,
                            .voters = {},
                            .standbys = {},
                            .desired = {.voters = voters, .pinned = false}};
    for (const auto id : voters) s.voters.push_back({.node = id, .lag = 0});
    of.shards.push_back(std::move(s));
  }
  return of;
}

// The same one with what `change` makes of it.
cluster_report with(cluster_report of, const auto& change) {
  change(of);
  return of;
}

inline void vote(cluster_report::shard& s, std::vector<cluster_record::node_id> voters) {
  s.voters.clear();
  for (const auto id : voters) s.voters.push_back({.node = id, .lag = 0});
}
// Raft has what the record wants of all shards.
inline void place(cluster_report& of, const std::vector<cluster_record::node_id>& voters) {
  for (auto& s : of.shards) {
    vote(s, voters);
    s.desired.voters = voters;
    s.leader = voters.front();
  }
}
// By their positions, as below.
inline void drain(cluster_report& of, std::initializer_list<std::size_t> nodes) {
  for (const auto node : nodes) of.nodes[node].what.state = cluster_record::node_state::draining;
}
inline void silence(cluster_report& of, std::initializer_list<std::size_t> nodes) {
  for (const auto node : nodes) {
    of.nodes[node].reachable = false;
    of.nodes[node].silent_for = std::chrono::seconds(130);
  }
}

}  // namespace omnicart::http::trial
