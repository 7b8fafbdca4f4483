#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/entity.hpp"

namespace omnicart {

// Order of everything handed to the journal of this process; rises by one per item, starts at 1. Items of one shard
// become durable in this order, those of different shards in any.
using ticket = std::uint64_t;

// One event as stored: who caused it and when (log time), and the kind's encoded event.
struct event_record {
  timestamp_ms at;
  caller by;
  std::string event;

  friend bool operator==(const event_record&, const event_record&) = default;
  OMNICART_FIELDS(at, by, event)
};

// Proof that a command ran: looked up before a command with the same id is decided again.
struct receipt {
  command_id id;
  std::uint64_t body = 0;        // hash of the client's body
  timestamp_ms expires_at;       // may be forgotten after this, never before
  error_number refused = 0;      // 0: it was accepted
  std::string detail;            // of the refusal
  std::string data;              // of the refusal; of what was accepted: the kind's keepsake (runtime/kind.hpp)

  friend bool operator==(const receipt&, const receipt&) = default;
  OMNICART_FIELDS(id, body, expires_at, refused, detail, data)
};

struct snapshot {
  std::uint64_t version = 0;  // events included
  std::string state;          // the kind's encoded snapshot

  friend bool operator==(const snapshot&, const snapshot&) = default;
  OMNICART_FIELDS(version, state)
};

// The entity's durable wake-up: at most one, moved from `before` to `after`.
struct timer_change {
  std::optional<timestamp_ms> before;
  std::optional<timestamp_ms> after;

  friend bool operator==(const timer_change&, const timer_change&) = default;
  OMNICART_FIELDS(before, after)
};

// All that one command leaves behind; written as one, or not at all. An item with nothing to write is a barrier:
// `done` runs when everything handed over earlier is durable.
struct journal_item {
  entity_ref entity;
  std::uint64_t term = 0;             // of leadership in which it was decided; 0: whichever
  std::uint64_t first_version = 0;    // version after the first of `events`
  std::vector<event_record> events;
  std::optional<receipt> proof;
  bool brief = false;                 // the proof is of no use for longer than journal::recall() remembers: nothing else keeps it
  std::optional<timer_change> timer;
  std::optional<snapshot> state;
  std::uint64_t cut_through = 0;      // events up to this version may be deleted (covered by `state`); 0: none
  std::uint64_t cut_from = 0;         // the first of them
  bool forgotten = false;             // the entity ended: its snapshot goes, and `events` stand in the log only
  std::function<void(status)> done;   // once, on the journal's thread, in ticket order; must not block
};

// What is remembered of a command whose proof is brief.
struct recollection {
  std::optional<receipt> proof;
  duration_ms reach{0};  // everything that was applied in the time before is remembered (monotonic)
};

// The durable log of this node. Implementations: persistence/journal (RocksDB). Thread-safe.
//
// A failed write or sync is never retried: `done` gets base_errc::unknown_outcome and the process ends.
class journal {
 public:
  virtual ~journal() = default;
  // Takes the item and returns its ticket; never blocks. Order of calls is order on disk.
  virtual ticket append(journal_item item) = 0;
  // Of what was handed over for the shard of this id, everything up to this ticket is durable and in the store.
  virtual ticket durable(const entity_ref& entity) const = 0;
  // Why no new work may be accepted now (storage_full, overloaded, shutting_down), if so.
  virtual std::optional<error> refusing() const = 0;
  // Log time for the shard of this id: the wall clock, never below an earlier entry's time.
  virtual timestamp_ms log_time(const entity_ref& entity) = 0;
  // In which this node leads the shard of this id; 0: it does not. What is decided in one term counts in no other.
  virtual std::uint64_t term_of(const entity_ref&) const { return 1; }
  // Whether what this node knows of the entity may be told to somebody: no other node can have decided anything since.
  virtual bool may_answer(const entity_ref&) const { return true; }
  // Of what is durable.
  virtual recollection recall(const entity_ref& entity, command_id id) const = 0;
};

// What the store knows of an entity at rest.
struct stored_entity {
  std::optional<snapshot> state;
  std::vector<event_record> events;  // after the snapshot, in order
  std::optional<timestamp_ms> timer;
};

// Reads for activation, on a bounded pool. Thread-safe; callbacks run on a pool thread.
class entity_store {
 public:
  virtual ~entity_store() = default;
  virtual void load(const entity_ref& entity, std::function<void(result<stored_entity>)> done) = 0;

  enum class presence { absent, present, unknown };
  // Whether a receipt with this id is on disk, as far as memory can tell; no I/O. `unknown`: ask find_receipt.
  virtual presence receipt_presence(const entity_ref& entity, command_id id) = 0;
  virtual void find_receipt(const entity_ref& entity, command_id id,
                            std::function<void(result<std::optional<receipt>>)> done) = 0;
  // Stored history, oldest first, from `first_version`, at most `limit` events: pairs of version and event.
  virtual void history(const entity_ref& entity, std::uint64_t first_version, std::size_t limit,
                       std::function<void(result<std::vector<std::pair<std::uint64_t, event_record>>>)>
                           done) = 0;
};

}  // namespace omnicart
