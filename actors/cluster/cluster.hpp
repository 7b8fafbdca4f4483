#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/cluster/cluster_messages.hpp"

// The rules of the cluster's record. All functions are pure.
namespace omnicart::cluster_record {

// Stored with their position in the variant: append only. `at` is log time.
struct founded {
  std::string cluster;
  node first;
  std::uint16_t shard_count = 0;
  std::vector<signing_key> keys;
  timestamp_ms at{};
  OMNICART_FIELDS(cluster, first, shard_count, keys, at)
};
struct joined {
  node who;
  cause by;
  timestamp_ms at{};
  OMNICART_FIELDS(who, by, at)
};
struct readied {
  node_id id = 0;
  timestamp_ms at{};
  OMNICART_FIELDS(id, at)
};
struct drained {
  node_id id = 0;
  cause by;
  timestamp_ms at{};
  OMNICART_FIELDS(id, by, at)
};
struct resumed {
  node_id id = 0;
  cause by;
  timestamp_ms at{};
  OMNICART_FIELDS(id, by, at)
};
// Its number leaves every desired list.
struct removed {
  node_id id = 0;
  bool forced = false;
  cause by;
  timestamp_ms at{};
  OMNICART_FIELDS(id, forced, by, at)
};
// The new node stands where the old one stood, unless it stood in that list already.
struct replaced {
  node_id old_node = 0;
  node_id new_node = 0;
  cause by;
  timestamp_ms at{};
  OMNICART_FIELDS(old_node, new_node, by, at)
};
struct placed {
  std::vector<place::entry> shards;
  timestamp_ms at{};
  OMNICART_FIELDS(shards, at)
};
struct key_rotated {
  signing_key key;
  cause by;
  timestamp_ms at{};
  std::optional<timestamp_ms> others_until;  // no other key is believed for longer
  OMNICART_FIELDS(key, by, at, others_until)
};
struct configured {
  cluster_record::settings settings;
  cause by;
  timestamp_ms at{};
  OMNICART_FIELDS(settings, by, at)
};
struct addresses_updated {
  node_id id = 0;
  std::string link, http, operators;
  timestamp_ms at{};
  std::uint64_t store = 0;  // 0: as it was
  OMNICART_FIELDS(id, link, http, operators, at, store)
};
struct transferred {
  std::uint16_t shard = 0;
  node_id to = 0;
  cause by;
  timestamp_ms at{};
  OMNICART_FIELDS(shard, to, by, at)
};
struct rebalanced {
  cause by;
  timestamp_ms at{};
  OMNICART_FIELDS(by, at)
};

using event = std::variant<founded, joined, readied, drained, resumed, removed, replaced, placed,
                           key_rotated, configured, addresses_updated, transferred, rebalanced>;
using events = std::vector<event>;
using state = record;

// Refusals, in the order checked. All: base_errc::forbidden (found, ready, place, update_addresses
// and read are the system's, the others an admin's too), not_founded (but for found), malformed (a
// who or why that is no line of at most 500 bytes).
//   found             malformed (cluster id, number, name, an address, no shard), invalid_key,
//                     already_founded
//   join              malformed, node_removed, node_exists, name_taken, address_taken,
//                     too_many_nodes
//   ready             no_such_node, node_removed
//   drain             no_such_node, node_removed, illegal_state (joining), last_node (that is
//   active) resume            no_such_node, node_removed, illegal_state (joining) remove
//   no_such_node, last_node, still_placed (unless forced), no_majority (of the
//                     desired voters of a shard, the others that serve and can be reached would be
//                     too few)
//   replace           malformed (the same node), no_such_node, node_removed, illegal_state (the old
//                     one joining, the new one not active)
//   place             malformed (no or too many voters, one twice, a shard twice), no_such_shard,
//                     no_such_node, not_placeable (joining or removed)
//   transfer          no_such_shard, no_such_node, node_removed, not_a_replica, illegal_state (not
//   active) rotate_key        invalid_key configure         invalid_settings update_addresses
//   no_such_node, node_removed, malformed, address_taken, another_store
result<events> decide(const state& s, const command& what, const context& ctx);
// Total: a recorded event always applies.
void apply(state& s, const event& what);
void check(const state& s);
void check_full(const state& s);

// How an event reads in the log of operations; empty: no operator's doing.
std::string summary_of(const state& before, const event& what);

}  // namespace omnicart::cluster_record
