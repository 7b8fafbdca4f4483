#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/entity.hpp"

// What a cluster knows of itself: its nodes, which of them should hold which shard, the keys that
// sign access tokens, and what operators did. Plain values and questions to them; everything here
// is pure.
namespace omnicart::cluster_record {

// As omnicart::node_id (runtime/placement.hpp): 0 is none, a number is never given twice.
using node_id = std::uint64_t;

// Stored: numbers are never reused.
enum class node_state : std::uint8_t {
  joining = 1,   // known to the others, holds nothing yet
  active = 2,    // may hold shards and lead them
  draining = 3,  // gives its shards away, leaderships first
  removed = 4,   // a tombstone: its number never comes back
};
const char* to_string(node_state s);

struct node {
  node_id id = 0;
  std::string name;
  std::string link;       // "host:port" that other nodes connect to; empty: a node that is alone
  std::string http;       // "host:port" of the public front; may be empty
  std::string operators;  // "host:port" of the operator port; may be empty
  node_state state = node_state::joining;
  timestamp_ms since{};  // when it came into this state
  std::uint64_t store = 0;  // names its store, told once by the node; 0: not told yet

  friend bool operator==(const node&, const node&) = default;
  OMNICART_FIELDS(id, name, link, http, operators, state, since, store)
};

// Who should hold one shard.
struct shard_nodes {
  std::vector<node_id> voters;  // the first one should lead
  bool pinned = false;          // an operator chose the leader: balancing leaves it there

  friend bool operator==(const shard_nodes&, const shard_nodes&) = default;
  OMNICART_FIELDS(voters, pinned)
};

struct settings {
  std::uint32_t replicas = 3;   // voters of a shard, as far as there are nodes
  std::uint32_t moves_max = 4;  // shards that may be on the move at a time

  friend bool operator==(const settings&, const settings&) = default;
  OMNICART_FIELDS(replicas, moves_max)
};

// A key for access tokens. Nodes must know it before it is used, so `active_from` lies in the
// future when it is made.
struct signing_key {
  std::uint64_t number = 0;  // rises
  // 64 bytes: of access tokens, then of refresh tokens. The latter are those of the key before, but
  // for a key that came because others may have leaked.
  std::string secret;
  timestamp_ms active_from{};
  timestamp_ms expires_at{};

  friend bool operator==(const signing_key&, const signing_key&) = default;
  OMNICART_FIELDS(number, secret, active_from, expires_at)
};

struct operation {
  timestamp_ms at{};
  std::string who;
  std::string what;
  std::string why;

  friend bool operator==(const operation&, const operation&) = default;
  OMNICART_FIELDS(at, who, what, why)
};

struct record {
  std::string cluster;               // 16 bytes as 32 hex digits; empty: not founded
  std::uint16_t shard_count = 0;     // without the record's own group, whose number this is
  std::vector<node> nodes;           // by id, tombstones included
  std::vector<shard_nodes> desired;  // by shard; the last is the record's own group
  cluster_record::settings settings;
  std::vector<signing_key> keys;      // by number; expired ones go when another comes
  std::vector<operation> operations;  // oldest first, at most operations_max

  bool founded() const { return !cluster.empty(); }
  friend bool operator==(const record&, const record&) = default;
  OMNICART_FIELDS(cluster, shard_count, nodes, desired, settings, keys, operations)
};

inline constexpr std::size_t operations_max = 1'000;
inline constexpr std::size_t voters_max = 5;         // of one group
inline constexpr std::size_t living_nodes_max = 16;  // Raft's groups take no more members
inline constexpr std::size_t nodes_max = 4'096;      // with tombstones
inline constexpr std::size_t keys_max = 16;          // at a time
inline constexpr std::size_t key_secret_bytes = 64;
inline constexpr std::uint32_t moves_max_max = 64;
inline constexpr std::size_t text_bytes_max = 500;  // of a who or a why
inline constexpr std::size_t name_bytes_max = 64;
inline constexpr std::size_t address_bytes_max = 255;

// Null for a number that was never given. The pointer is good as long as the record stays as it is.
const node* find(const record& r, node_id id);
// The node of this name that is not removed.
const node* find_by_name(const record& r, std::string_view name);
// Votes where it is placed: active or draining.
bool is_serving(const node& n);
// Everyone but the removed.
std::vector<const node*> living_nodes(const record& r);
std::size_t active_count(const record& r);
// The shards whose desired voters name it; the record's own group is the last one.
std::vector<std::uint16_t> shards_naming(const record& r, node_id id);

// The newest key in force signs; null when there is none.
const signing_key* key_to_sign(const record& r, timestamp_ms now);
// Every key that has not expired verifies, also one that is not in force yet. Null: unknown or
// expired.
const signing_key* key_to_verify(const record& r, std::uint64_t number, timestamp_ms now);

// 1-64 of a-z A-Z 0-9 . _ -, no number: commands take a node's name or number.
bool is_good_name(std::string_view name);
// "host:port" or "[v6]:port", printable and without spaces, port 1-65535.
bool is_good_address(std::string_view address);

}  // namespace omnicart::cluster_record
