#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/cluster/cluster_record.hpp"

// The cluster as one node knows it, for operators. Plain values; everything here is pure.
namespace omnicart::http {

struct cluster_report {
  // Why a node gives away what it leads and takes no other lead, by its own word.
  struct unfitness {
    bool damaged = false;    // it met a record of its store that does not read
    bool disk_low = false;   // it refuses writes for want of room
    bool clock_off = false;  // from the others', beyond clock_offset_max
    bool stopping = false;
    bool unsaid = false;  // its build does not say why

    bool any() const { return damaged || disk_low || clock_off || stopping || unsaid; }
  };
  struct node {
    cluster_record::node what;
    bool reachable = true;                      // from the node that reports; itself always
    duration_ms silent_for{0};                  // since when not
    std::optional<duration_ms> clock_offset{};  // ahead of the others' median; none: not known
    std::string version;                        // of the program; empty: not known
    unfitness unfit{};                          // none of one that is not heard
  };
  struct member {
    cluster_record::node_id node = 0;
    std::optional<std::uint64_t> lag{};  // entries behind the leader; none: not known here
  };
  struct shard {
    std::uint16_t number = 0;            // the record's own group has the number shard_count
    std::uint64_t term = 0;
    cluster_record::node_id leader = 0;  // 0: none known
    std::vector<member> voters, standbys;
    cluster_record::shard_nodes desired;
    bool moving = false;   // by the rule of who plans it (is_on_the_move, cluster/placement/plan.hpp)
    bool stopped = false;  // the reporting node's own replica, for good (cluster/replica_view.hpp)
  };

  std::string cluster;  // empty: none founded
  std::uint64_t record_version = 0;  // of the record this was made from, or an older one
  cluster_record::node_id self = 0;
  timestamp_ms at{};
  std::uint16_t shard_count = 0;
  cluster_record::settings settings;
  std::vector<node> nodes;    // without the removed
  std::vector<shard> shards;  // by number; the last is the record's own group
  std::vector<cluster_record::operation> operations;  // all that the record keeps, oldest first
};

// A replica's content as one number (cluster/copy/content_hash.hpp).
struct replica_hash {
  std::uint16_t shard = 0;
  std::uint64_t through = 0;
  std::uint64_t records = 0;
  timestamp_ms receipts_after{};
  std::uint64_t hash = 0;
};

// What is wrong, and what an operator can do about it.
struct cluster_warning {
  bool severe = false;  // requests fail because of it
  std::string what;
  std::string advice;
};

// Above these, `judge` speaks.
inline constexpr duration_ms joining_patience{60'000};
inline constexpr duration_ms clock_offset_max{500};  // beyond it a node does not lead
inline constexpr std::uint64_t lag_entries_calm = 10'000;

// The severe ones first. That a node may be stopped is said of none whose shards would then have no
// majority of voters that can be reached, do not drain and do not stop themselves.
std::vector<cluster_warning> judge(const cluster_report& of);

struct node_load {
  std::size_t leads = 0;
  std::size_t replicas = 0;  // votes
  std::size_t standbys = 0;
};
node_load load_of(const cluster_report& of, cluster_record::node_id node);
// By Raft's voters, whatever the record wants.
bool votes_in(const cluster_report::shard& s, cluster_record::node_id node);
// The node that an operator names by its number or its name; null when there is none.
const cluster_report::node* find_node(const cluster_report& of, std::string_view text);
// The shards in which it votes, whatever the record wants.
std::vector<std::uint16_t> shards_voting(const cluster_report& of, cluster_record::node_id node);
// Why the node may not be cut off now, by the voters that Raft has, which differ from the wanted ones
// while shards move: those of a shard in which it votes would have no majority within reach of the
// reporting node, or it does not know them. For operators. Empty: it may.
std::string needed_by_voters(const cluster_report& of, cluster_record::node_id node);
// The nodes that the reporting one cannot reach now.
std::vector<cluster_record::node_id> unreachable_nodes(const cluster_report& of);

// {cluster, self, at, replicas, moves_max, nodes [], shards [], warnings [], operations []}; see docs/operations.md.
std::string to_json(const cluster_report& of);
// {node, shards: [{shard, through, records, receipts_after, hash: 16 hex digits}]}
std::string to_json(cluster_record::node_id node, const std::vector<replica_hash>& of);

}  // namespace omnicart::http
