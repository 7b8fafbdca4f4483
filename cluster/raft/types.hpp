#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/fields.hpp"

// The words of Raft (Ongaro, "Consensus: Bridging Theory and Practice", 2014) as plain values.
namespace omnicart::raft {

using node_id =
    std::uint64_t;  // 0: none; never used again for another node, nor by one that lost its disk
using term_number = std::uint64_t;  // starts at 1
using log_index = std::uint64_t;    // starts at 1
// Time since any start, on a clock that neither jumps nor stops with the machine (CLOCK_BOOTTIME).
using monotonic_time = std::chrono::milliseconds;

enum class role : std::uint8_t {
  standby = 0,  // gets the log, has no vote
  voter = 1,
  spare = 2,  // gets nothing until it is caught up
};

struct server {
  node_id node = 0;
  role as = role::standby;

  friend bool operator==(const server&, const server&) = default;
  OMNICART_FIELDS(node, as)
};

// Who belongs to a group. The order is part of the value: libraft keeps what it knows of each by
// position.
struct configuration {
  std::vector<server> servers;

  friend bool operator==(const configuration&, const configuration&) = default;
  OMNICART_FIELDS(servers)
};

enum class entry_type : std::uint8_t {
  command = 1,  // the shard's: a batch of events
  barrier = 2,  // nothing; committed, it proves that all before it in earlier terms is too
  change = 3,   // a configuration, encoded by membership.hpp
};

// The bytes of an entry: shared, because the cache, the disk's queue and the messages to two
// followers hold the same ones, and never changed.
using payload = std::shared_ptr<const std::string>;

struct log_entry {
  log_index index = 0;
  term_number term = 0;
  entry_type type = entry_type::command;
  payload bytes;  // empty for barriers
};

// What must be on disk before anything that follows from it leaves the node.
struct hard_state {
  term_number term = 0;
  node_id voted_for = 0;

  friend bool operator==(const hard_state&, const hard_state&) = default;
  OMNICART_FIELDS(term, voted_for)
};

// Everything up to `index` is in the store and may be gone from the log.
struct snapshot_metadata {
  log_index index = 0;
  term_number term = 0;
  log_index configuration_index = 0;
  configuration members;

  friend bool operator==(const snapshot_metadata&, const snapshot_metadata&) = default;
  OMNICART_FIELDS(index, term, configuration_index, members)
};

struct vote_request {
  term_number term = 0;
  log_index last_index = 0;
  term_number last_term = 0;
  bool disrupt_leader = false;  // the leader asked for it (a transfer)
  bool pre_vote = false;        // only asks whether it would be granted
};

struct vote_result {
  term_number term = 0;
  bool granted = false;
  bool pre_vote = false;
};

struct append_request {
  term_number term = 0;
  log_index prev_index = 0;
  term_number prev_term = 0;
  log_index leader_commit = 0;
  monotonic_time sent_at{
      0};  // by the leader's clock; comes back in the result and carries its read lease
  std::vector<log_entry> entries;
};

struct append_result {
  term_number term = 0;
  log_index rejected = 0;    // the prev_index that did not match; 0: accepted
  log_index last_index = 0;  // on disk here and known to match; when rejected: where to try next
  monotonic_time echo{0};    // latest sent_at had from the receiver in this term; 0: none
};

// The follower fetches the snapshot's content from the sender by other means.
struct install_request {
  term_number term = 0;
  snapshot_metadata snapshot;
};

struct timeout_now {
  term_number term = 0;
  log_index last_index = 0;
  term_number last_term = 0;
};

using message_body = std::variant<vote_request, vote_result, append_request, append_result,
                                  install_request, timeout_now>;

struct message {
  node_id from = 0;
  node_id to = 0;
  message_body body;
};

enum class state : std::uint8_t { follower = 1, candidate = 2, leader = 3 };
const char* to_string(state s);

}  // namespace omnicart::raft
