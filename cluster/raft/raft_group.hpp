#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/raft/log_window.hpp"
#include "cluster/raft/membership.hpp"
#include "cluster/raft/read_lease.hpp"
#include "cluster/raft/types.hpp"
#include "runtime/base/result.hpp"

struct raft_engine;
struct raft_engine_message;
struct raft_engine_output;

namespace omnicart::raft {

struct group_options {
  node_id self = 0;
  // Of the share of chance in when a voter stands: see raft_group::take_turn().
  unsigned seed = 1;
  monotonic_time election_timeout{1000};
  monotonic_time heartbeat{100};
  monotonic_time install_timeout{
      60'000};                         // a follower that took longer is offered the snapshot again
  unsigned inflight_entries_max = 32;  // sent to a follower and not yet acknowledged
  std::size_t uncommitted_entries_max = 4096;  // beyond it submit() refuses
  std::size_t entry_bytes_max = 8 << 20;       // of one payload
  std::size_t message_bytes_max = 1 << 20;  // of an append's payloads; a larger entry travels alone
  std::size_t memory_bytes_max =
      4 << 20;  // of entries kept for followers; older ones are read from disk
};

// What is on this node's disk. Of entries that are not changes, the bytes may be left out.
struct stored_state {
  hard_state hard;
  std::optional<snapshot_metadata> snapshot;
  std::vector<log_entry> entries;  // without gaps; without a snapshot they begin with first_entry()
};

// An append whose entries are no longer in memory: read them from disk, give them to
// complete_append().
struct entries_wanted {
  message request;  // of append_request, without entries
  log_index first = 0;
  std::size_t count = 0;
};

struct snapshot_wanted {
  node_id from = 0;
  snapshot_metadata metadata;
};

// What to do after a call, in any order but for one rule: all of one write, and all writes in their
// order.
struct update {
  // 0: nothing to write. Else: put what follows in one batch, and call persisted(write) once it is
  // durable.
  std::uint64_t write = 0;
  std::optional<hard_state> hard;
  std::vector<log_entry> entries;  // these replace everything stored from entries.front().index on

  std::vector<message> messages;  // ready to be sent; may be lost, doubled and reordered
  std::vector<entries_wanted> reads;
  std::optional<snapshot_wanted> install;  // fetch it, then call snapshot_installed()
  bool state_changed = false;              // state(), term() or leader()
};

// One replica of one group: libraft's protocol core with what it leaves to its caller. No I/O, no
// threads, no clock; used from one thread at a time.
//
// `now` is read from the clock for each call, after what the call reports: a message taken with the
// time of an earlier one could let a follower stand while the leader that sent it still holds its
// lease. It must not go back.
//
// Beyond libraft's own rules:
// - messages that tell of a term or vote are held until that is persisted, and those behind a
// change of membership until
//   the leader has it on disk itself: else its crash may leave a change that only a server knows
//   which may not stand;
// - every leader begins its term with an entry of its own, also when it is alone, and always in a
// term of its own;
// - no vote and no candidacy for one election timeout after a start;
// - changes of membership go one server at a time, and only once an entry of the leader's term is
// committed; nobody
//   votes before it has the log, and a leader does not take the vote from itself;
// - a standby or spare votes when asked, for the candidate may know of its promotion and need it to
// go on;
// - what peers send is checked before libraft sees it, which checks nothing.
class raft_group {
 public:
  explicit raft_group(const group_options& options);
  ~raft_group();
  raft_group(const raft_group&) = delete;
  raft_group& operator=(const raft_group&) = delete;

  // Once, first. Error base_errc::malformed: what was stored cannot be a log.
  result<update> start(monotonic_time now, const stored_state& stored);

  // A message for this node. Refused (base_errc::malformed) when no sound peer sends it, and then
  // nothing happened. Error base_errc::io: a leader contradicts what is committed here; the replica
  // stopped for good.
  result<update> receive(monotonic_time now, const message& from_peer);
  // The writes up to this one are durable. To be called in order; some may be left out.
  update persisted(monotonic_time now, std::uint64_t write);
  // Due at next_timeout(); earlier it does nothing.
  update timeout(monotonic_time now);

  // Proposes payloads, in their order, as the entries from update.entries.front().index on. Each is
  // committed when commit_index() reaches it while term() has not changed; after a change of term
  // its fate is unknown. Refusals: base_errc::unavailable (not the leader, or about to hand over),
  // overloaded (too many uncommitted), precondition_failed (empty or over entry_bytes_max).
  result<update> submit(monotonic_time now, std::vector<std::string> payloads);
  // In use at once, in effect when committed. Refusals: base_errc::unavailable (not the leader),
  // overloaded (another change is under way, or the leader's term has nothing committed yet: ask
  // again), changed()'s, and precondition_failed for a voter that has not got the log so far
  // (catch_up() first) and for the leader itself (transfer() first).
  result<update> change_membership(monotonic_time now, const membership_change& change);
  // Begins to bring a standby or spare up to date; catch_up_progress() tells. Refusals:
  // unavailable, overloaded (another is catching up), precondition_failed (not a member, or a
  // voter).
  result<update> catch_up(monotonic_time now, node_id node);
  // Hands leadership over: no more work and no lease here; once the voter has the whole log, it is
  // asked to stand. Given up after an election timeout. Refusals: unavailable, overloaded (one is
  // under way), precondition_failed.
  result<update> transfer(monotonic_time now, node_id node);

  // What a snapshot up to `index` would say of itself; `index` must be committed and persisted
  // here. Refusal base_errc::overloaded: the latest configuration is behind `index`; ask with a
  // later one.
  result<snapshot_metadata> describe_snapshot(log_index index) const;
  // That snapshot is durable. The log keeps `trailing` entries before its end; the rest may be
  // deleted, up to first_index(), and followers that need it get the snapshot.
  update snapshot_taken(monotonic_time now, const snapshot_metadata& taken, unsigned trailing);
  // The wanted snapshot's content and metadata replaced everything stored, the log included. When
  // it cannot be had, destroy the group and start another from what is stored.
  update snapshot_installed(monotonic_time now, const snapshot_metadata& installed);
  // The message with its entries, split by size; empty when this node no longer leads in its term.
  std::vector<message> complete_append(const entries_wanted& wanted,
                                       std::vector<log_entry> entries) const;

  // Whether a read may be answered from what is applied up to `applied`: this leads, holds a lease,
  // and an entry of its own term is applied.
  bool may_read(monotonic_time now, log_index applied) const;
  std::optional<monotonic_time> lease_expires_at(monotonic_time now) const;

  raft::state current_state() const;
  term_number term() const;
  node_id leader() const;          // 0: none known
  bool serving() const;            // leads and takes work
  bool handing_over() const { return handover_.has_value(); }
  log_index commit_index() const;  // known to be on a majority's disks
  // Committed and on this disk too: up to here entries may be applied. Never goes back.
  log_index applicable_index() const;
  log_index first_index() const;  // of the log; what is before may be deleted
  log_index last_index() const;
  log_index stored_index() const;   // reported as persisted
  log_index barrier_index() const;  // the leader's first entry of its term; 0: not leading
  term_number term_at(log_index index) const;  // 0: not in the log
  monotonic_time next_timeout() const;
  const configuration& members() const { return members_; }  // in use, committed or not
  log_index match_index(node_id node) const;  // known to be on its disk; leader only, else 0
  enum class catch_up_state { none, running, gave_up, done };
  catch_up_state catch_up_progress(node_id node) const;

 private:
  struct outstanding_write {
    std::uint64_t number = 0;
    log_index last_index = 0;  // of its entries that were not replaced since
  };
  struct handover {
    node_id target = 0;
    monotonic_time deadline{0};
    bool asked = false;
  };
  // Empty appends repeat what a busy follower hears anyway; libraft makes one for each call while
  // its limit is reached.
  enum class empty_appends { send, thin_out };

  // raft_group.cpp
  void set_clock(monotonic_time now);
  std::uint64_t engine_timeout_ms() const;
  void propose(entry_type type, std::vector<payload> payloads, update& into);
  void fresh_term(update& into);

  bool has_log(node_id node) const;

  // raft_group_receive.cpp
  status check_message(const message& m) const;
  bool is_wanted(const message& m) const;
  void receive_vote_request(const message& m, update& into);
  bool is_stranger() const;
  bool may_vote_as_stranger(const vote_request& request, node_id candidate) const;
  void receive_from_leader(const message& m, update& into);
  append_request behind_snapshot(const append_request& request) const;
  void receive_append(node_id from, const append_request& whole, update& into);
  bool receive_part(node_id from, const append_request& part, update& into);
  void settle_earlier_change(const append_request& part, update& into);
  void receive_install(node_id from, const install_request& request, update& into);
  void receive_result(const message& m, update& into);
  void note_echo(node_id from, const append_result& result);
  void forget_late_rejection(node_id from, raft_engine_message& result) const;

  // raft_group_update.cpp: what a call to the engine changed, and what follows from it
  void note(int engine_error, const raft_engine_output& out, std::vector<log_entry> batch,
            update& into);
  void note_entries(const raft_engine_output& out, std::vector<log_entry> batch, update& into);
  void note_message(const raft_engine_message& m, update& into);
  void note_append(const raft_engine_message& m, update& into);
  void finish(update& into);
  void take_turn();
  void begin_term(update& into);
  void settle_change(update& into);
  void advance_handover(update& into);
  void number_write(update& into);
  bool has_own_change(const update& of) const;
  void release_held(update& into);
  void read_members();

  group_options options_;
  std::unique_ptr<raft_engine, void (*)(raft_engine*)> engine_;
  log_window window_;
  read_lease lease_;
  std::optional<snapshot_metadata> snapshot_;
  std::optional<snapshot_metadata> installing_;
  std::uint64_t now_ms_ = 1;
  std::uint64_t timed_out_ms_ = 0;  // when the engine last had a timeout
  std::uint64_t heard_ms_ = 0;      // when a leader was last heard
  monotonic_time silent_until_{0};
  unsigned patience_ms_ = 0;        // as the engine was given it
  unsigned drawn_ms_ = 0;           // as the engine had drawn it
  bool stopped_ = false;  // for good: it met a contradiction

  std::uint64_t next_write_ = 1;
  std::uint64_t persisted_write_ = 0;
  std::uint64_t gate_write_ = 0;          // the latest that messages wait for
  std::deque<outstanding_write> writes_;  // those with entries, oldest first
  update held_;                           // messages and reads until gate_write_ is persisted
  hard_state noted_;                      // the last one handed out
  log_index applicable_ = 0;

  raft::state seen_state_ = raft::state::follower;
  term_number seen_term_ = 0;
  node_id seen_leader_ = 0;
  configuration members_;  // copies of the engine's
  std::vector<node_id> voters_;
  bool members_changed_ = true;
  log_index barrier_ = 0;
  std::optional<handover> handover_;
  empty_appends empties_ = empty_appends::send;
  std::map<node_id, std::uint64_t> appended_ms_;  // when a peer was last sent an append
  term_number stamp_term_ = 0;                    // the latest term with a leader that was heard
  node_id stamp_from_ = 0;                        // that leader
  monotonic_time stamp_{0};                       // its latest sent_at
};

}  // namespace omnicart::raft
