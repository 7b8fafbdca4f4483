#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/fields.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

// The vocabulary that rules (actors/*) and the machinery that runs them share.
namespace omnicart {

// Who may do what; stored in events, so numbers are never reused.
enum class role : std::uint8_t { guest = 0, shopper = 1, support = 2, admin = 3, system = 9 };

constexpr bool is_staff(role r) { return r == role::support || r == role::admin || r == role::system; }

// Who asks. Guests have a session only; shoppers a session and a user; staff tokens neither need.
struct caller {
  role as = role::guest;
  std::string session;
  std::string user;

  friend bool operator==(const caller&, const caller&) = default;
  OMNICART_FIELDS(as, session, user)
};

// All that a rule may know besides its state and command.
struct context {
  timestamp_ms now;    // log time of the shard: never goes back, not even over a restart
  command_id command;  // zero when the command carries none
  caller asker;
};

// A command that an entity owes another entity, or a call to a port (a kind without state, such as "payment").
// Sent once its cause is durable, again after a restart and by a retry timer, until an event settles it.
// `key` names the effect within its entity: the same key is never in flight twice.
struct effect {
  std::string key;
  entity_ref to;
  std::string command;  // encoded command of the target's kind
  duration_ms wait{0};  // let the receiver hold its answer while it is still in progress, at most this long

  friend bool operator==(const effect&, const effect&) = default;
};

// The kind of the cluster's own record, which stands beside the shop: its group is none of the shop's shards.
inline constexpr std::string_view cluster_kind = "cluster";

// Groups that a node keeps: the shop's shards, and behind them the one of the cluster's record.
constexpr std::uint16_t group_count(std::uint16_t shard_count) { return static_cast<std::uint16_t>(shard_count + 1); }

// The group that holds the entity: the shard of its id, or the last one for the cluster's record.
inline std::uint16_t group_of(std::string_view kind, std::string_view id, std::uint16_t shard_count) {
  return kind == cluster_kind ? shard_count : shard_of(id, shard_count);
}
inline std::uint16_t group_of(const entity_ref& entity, std::uint16_t shard_count) {
  return group_of(entity.kind, entity.id, shard_count);
}

// What came back for a command. `payload` is the kind's encoded reply; on a refusal it may carry detail
// (the kind's codec says what).
struct answer {
  std::optional<error> failure;
  std::string payload;
  std::uint64_t version = 0;  // events of the entity so far
  bool replayed = false;      // the command had been executed before; payload is the record as it is now

  bool ok() const { return !failure; }
};

}  // namespace omnicart
