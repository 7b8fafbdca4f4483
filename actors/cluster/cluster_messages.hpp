#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/cluster/cluster_record.hpp"
#include "runtime/base/entity.hpp"

// What may be said to the record of the cluster and what it answers. The one entity is
// "cluster/cluster"; it lives in a Raft group of its own, beside the shards.
namespace omnicart::cluster_record {

enum class errc : error_number {
  not_founded = 1000,      // there is no cluster yet
  already_founded = 1001,  // as another one
  no_such_node = 1002,
  node_exists = 1003,    // the number is another node's, or has other addresses
  node_removed = 1004,   // for ever
  name_taken = 1005,     // by another node that is not removed
  address_taken = 1006,  // likewise
  too_many_nodes = 1007,
  illegal_state = 1008,  // the node's state does not allow it
  last_node = 1009,      // none would be left to serve
  still_placed = 1010,   // shards are placed on it, or have it as a member; data: encoded
                         // vector<uint16> of them
  no_majority = 1011,    // a shard would be left without a majority; data: as above
  not_placeable = 1012,  // a desired list names a node that may not hold shards
  not_a_replica = 1013,  // the node is no desired voter of the shard
  no_such_shard = 1014,
  invalid_settings = 1015,
  invalid_key = 1016,    // not 64 bytes, expired, no newer number, or too many at a time
  another_store = 1017,  // the node's number with a store that is not its own
};
const char* to_string(errc code);

// Who acts and why, for the log of operations: a line each, the why may be empty.
struct cause {
  std::string who;
  std::string why;
  OMNICART_FIELDS(who, why)
};

// The system's own. found: the same cluster and node again changes nothing.
struct found {
  std::string cluster;
  node first;  // its state and time are not looked at: it is active at once
  std::uint16_t shard_count = 0;
  std::vector<signing_key> keys;
  OMNICART_FIELDS(cluster, first, shard_count, keys)
};
struct ready {
  node_id id = 0;
  OMNICART_FIELDS(id)
};  // a joining node has what it needs: active
struct place {
  struct entry {
    std::uint16_t shard = 0;
    std::vector<node_id> voters;
    OMNICART_FIELDS(shard, voters)
  };
  std::vector<entry>
      shards;  // send it with the expected version: it was reckoned from one state of the record
  OMNICART_FIELDS(shards)
};
struct update_addresses {
  node_id id = 0;
  std::string link, http, operators;
  std::uint64_t store = 0;  // 0: as it was; once told it stays
  OMNICART_FIELDS(id, link, http, operators, store)
};
struct read {
  std::uint32_t operations = 0;
  OMNICART_FIELDS(operations)
};  // with this many of the newest

// Operators' (role admin) or the system's. Each may be repeated: what is so already makes no event. A join of a node that
// is joining already, by the same name, puts its addresses right.
struct join {
  node who;
  cause by;
  OMNICART_FIELDS(who, by)
};
struct drain {
  node_id id = 0;
  cause by;
  OMNICART_FIELDS(id, by)
};
struct resume {
  node_id id = 0;
  cause by;
  OMNICART_FIELDS(id, by)
};
struct remove {
  node_id id = 0;
  bool force = false;  // although it is placed or a member: a node that is gone for good
  std::vector<std::uint16_t>
      still_member;  // shards that have it as a Raft member, as far as the asker knows
  cause by;
  std::vector<node_id> unreachable;  // nodes that the asker cannot reach: they keep no majority
  OMNICART_FIELDS(id, force, still_member, by, unreachable)
};
struct replace {
  node_id old_node = 0;
  node_id new_node = 0;
  cause by;
  OMNICART_FIELDS(old_node, new_node, by)
};
// The node becomes the shard's preferred leader and stays it until `rebalance`, or until it cannot.
struct transfer {
  std::uint16_t shard = 0;
  node_id to = 0;
  cause by;
  OMNICART_FIELDS(shard, to, by)
};
struct rebalance {
  cause by;
  OMNICART_FIELDS(by)
};  // forgets all leaders that operators chose
struct rotate_key {
  signing_key key;
  cause by;
  bool distrust_others = false;  // they leaked: nobody believes them once the key is in force (its refresh half is new)
  OMNICART_FIELDS(key, by, distrust_others)
};
struct configure {
  cluster_record::settings settings;
  cause by;
  OMNICART_FIELDS(settings, by)
};

using command = std::variant<found, join, ready, drain, resume, remove, replace, place, rotate_key,
                             configure, update_addresses, read, transfer, rebalance>;

// Answer to every command; the record is in that to `read` alone.
struct reply {
  std::optional<record> whole;
  OMNICART_FIELDS(whole)
};

// "cluster/cluster".
entity_ref the_record();

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);
std::string encode_shards(const std::vector<std::uint16_t>& shards);
result<std::vector<std::uint16_t>> decode_shards(std::string_view bytes);

}  // namespace omnicart::cluster_record
