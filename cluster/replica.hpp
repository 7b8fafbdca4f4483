#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "cluster/raft/raft_group.hpp"
#include "cluster/replica_control.hpp"
#include "cluster/replica_storage.hpp"
#include "persistence/item_queue.hpp"

namespace omnicart::cluster {

// One entry that this node proposed as leader, with those who wait for it.
struct proposal {
  raft::log_index index = 0;
  persistence::log_entry entry;                  // what the payload decodes to
  std::size_t bytes = 0;                         // about what it costs in memory
  std::vector<persistence::queued_item> items;   // in the order of their tickets; barriers have no part in the entry
};

// A snapshot that this node, as leader, told a follower to fetch.
struct snapshot_offer {
  raft::node_id to = 0;
  raft::log_index index = 0;
  raft::monotonic_time until{0};
};

// One shard's replica on this node: Raft's side of it and how much of its log is in the store. Data of the journal's
// loop, which alone uses it.
struct replica {
  std::uint16_t shard = 0;
  std::unique_ptr<raft::raft_group> group;
  replica_record record;
  bool alone = false;                          // the only voter: what it wrote is committed
  bool needs_clock = true;                     // there are others, or may be: heartbeats, elections
  raft::log_index applied = 0;                 // content in the store, everybody told
  raft::log_index content_through = 0;         // content at least in a batch that is being written
  raft::log_index last_stored = 0;             // last entry in the store's log
  bool applied_is_written = false;             // the store has "applied/" for it
  std::deque<raft::log_entry> unapplied;       // entries behind `applied`, in order
  std::deque<proposal> proposals;              // those of them that this node proposed in its present term
  std::vector<persistence::queued_item> held;  // handed over, and not proposed because too much is uncommitted
  raft::term_number published_term = 0;        // in which this node tells others that it leads; 0: it does not
  std::uint64_t fence = 0;  // what entities of that term decide under; 0: none may
  bool stopped = false;     // for good, and it was said

  // An item that was refused while this node leads leaves entities in memory that know of it. They
  // are let go, and the next ones, under a fence of their own, find everything applied that was
  // handed over before.
  bool has_refused = false;  // in this round: so is whatever follows
  std::uint64_t refusals = 0;
  raft::term_number refused_in = 0;
  raft::log_index refused_behind = 0;
  std::uint64_t write = 0;                     // to be confirmed to the group once durable
  std::vector<running_control> controls;       // begun, and not over
  raft::log_index snapshot_index = 0;          // of Raft's latest snapshot
  raft::log_index cut_through = 0;             // entries up to here were removed
  std::vector<snapshot_offer> offers;

  // While the content comes from another node (journal_copies.cpp).
  bool content_void = false;                         // what the store has of it is not to be used
  bool copy_noted = false;                           // the store says so, or did not hear otherwise yet
  bool copy_runs = false;                            // the copier was asked, and has not answered
  bool copy_failed = false;
  std::optional<raft::snapshot_metadata> installing; // Raft waits for it
  raft::node_id copy_from = 0;                       // then: the leader that offered it
  std::uint64_t copy_attempt = 0;
  raft::monotonic_time copy_at{0};                   // not asked again before
  std::size_t handed_on = 0;                         // attempts to have another lead
  bool members_changed = true;                 // since the view was made

  // It has content; or Raft waits for a snapshot, and does not stand meanwhile anyway.
  bool can_lead() const { return !stopped && (!content_void || installing); }
  // Takes note of who belongs to the shard now.
  void learn_members(raft::node_id self);
};

}  // namespace omnicart::cluster
