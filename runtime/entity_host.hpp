#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/clock.hpp"
#include "runtime/journal.hpp"
#include "runtime/kind.hpp"
#include "runtime/mailbox.hpp"

namespace omnicart {

class entity_host;

// What hosts reach the world through; shared by all hosts of a node and outliving them.
struct host_environment {
  omnicart::journal& journal;
  entity_store& store;
  message_sink& out;  // the router
  const clock& time;

  // One envelope left the backlog of this host's entity (handled, or answered without).
  virtual void handled(const entity_host& host) = 0;
  // The host may go now. False: a message is on its way to it, so it stays.
  virtual bool retire(const entity_host& host) = 0;
  // Resident memory of the host changed by this many bytes.
  virtual void resident_changed(std::int64_t bytes) = 0;
  // Stored bytes that do not read; the entity answers base_errc::io and leaves.
  virtual void unreadable(const entity_ref& entity, const error& why) = 0;

  host_environment(omnicart::journal& j, entity_store& s, message_sink& o, const clock& c)
      : journal(j), store(s), out(o), time(c) {}
  virtual ~host_environment() = default;
};

// One active entity: loads it, runs its commands one by one, hands their events to the journal and goes on at
// once, and lets nothing out (answers, refusals, effects) before the log position it depends on is durable.
//
// A plain class driven by messages; the CAF actor or the simulator's queue around it calls receive(), never two
// at a time. While anything is outstanding (a load, an effect, an uncommitted event) it does not retire, so
// callbacks may hold its mailbox by reference.
class entity_host {
 public:
  entity_host(entity_ref self, const kind_entry& kind, host_environment& env, mailbox& box);
  ~entity_host();
  entity_host(const entity_host&) = delete;
  entity_host& operator=(const entity_host&) = delete;

  // True: the host has retired and must be dropped.
  [[nodiscard]] bool receive(host_message message);

  const entity_ref& self() const { return self_; }
  mailbox& box() const { return box_; }
  std::uint64_t version() const { return version_; }
  // JSON of the state for operators; empty while loading.
  std::string describe() const;

 private:
  // gone: this node no longer leads the shard; what was in memory counts no more, and everybody is told so until the
  // last callback that knows the mailbox has come.
  enum class phase : std::uint8_t { idle, loading, active, gone };

  // A caller that waits until the entity is no longer in progress.
  struct waiter {
    envelope message;
    duration_ms until;  // monotonic
    bool replayed;
    std::string kept;  // what its receipt keeps for the answer
  };
  // An effect that was sent and is still owed as far as the log says.
  enum class effect_phase : std::uint8_t { out, answered, backing_off };
  struct sent_effect {
    std::string key;
    std::uint32_t attempts = 0;
    effect_phase phase = effect_phase::out;
  };
  struct open_receipt {
    receipt proof;
    ticket position;
  };
  // What most entities never need; kept apart so that a resting cart stays small.
  struct extras {
    std::vector<envelope> stash;  // messages that wait for the state
    std::vector<waiter> waiters;
    std::vector<sent_effect> effects;
    std::vector<effect_answered> answers;  // to be taken in together, in order of arrival
    std::vector<open_receipt> receipts;  // written or being written, perhaps not yet readable
    std::vector<ticket> lookups;         // receipt look-ups under way: what was durable at their start
  };

  void on(envelope& message);
  void on(state_loaded& message);
  void on(receipt_looked_up& message);
  void on(effect_answered& message);
  void on(answers_due& message);
  void on(retry_due& message);
  void on(waiters_due& message);
  void on(passivation_asked& message);
  void on(leadership_lost& message);

  void load();
  result<void> take_over(stored_entity& found);
  void refuse_stash(const error& why);
  void handle(envelope& message, bool receipt_checked);
  bool answered_from_receipt(envelope& message, bool receipt_checked);
  bool ended_in_doubt(envelope& message);
  void answer_replay(envelope& message, const receipt& proof);
  void run(envelope& message);
  void wake_up(envelope& message);
  // A command of the entity to itself. True: it left events in the item.
  bool run_internal(const std::string& command, journal_item& item);
  bool still_owes(const std::string& effect_key) const;
  bool awaits_more_answers() const;
  void take_answers();
  void take_answer(const effect_answered& message, journal_item& item);
  sent_effect& sent(const std::string& effect_key);

  journal_item begin_item() const;
  void add_events(journal_item& item, outcome& done, const context& ctx);
  // After the last events of an item: its snapshot and timer.
  void finish_item(journal_item& item);
  void add_snapshot_if_due(journal_item& item);
  void forget(journal_item& item);
  void add_timer_change(journal_item& item, timestamp_ms now);
  std::vector<envelope> new_effects();
  static void stay_owed(const std::vector<envelope>& effects, const error& why);
  std::vector<std::pair<reply_fn, answer>> released_waiters();
  // Hands the item over; its answer, waiters and effects leave when it is durable.
  void commit(journal_item item, reply_fn reply, answer got);
  // Lets an answer out when everything so far is durable: now, or through a barrier.
  void release(reply_fn reply, answer got);
  void wait_for_progress(envelope& message, bool replayed, std::string kept);
  void back_off(sent_effect& effect);
  context context_for(const envelope& message) const;
  bool quiet() const;
  void leave_if_forgotten();
  extras& more();
  void drop_settled_receipts();
  void drop_empty_extras();
  void report_memory();

  entity_ref self_;
  const kind_entry& kind_;
  host_environment& env_;
  mailbox& box_;
  std::unique_ptr<entity> state_;
  std::unique_ptr<extras> more_;
  std::uint64_t version_ = 0;
  std::uint64_t kept_from_ = 1;            // first event version still stored
  ticket last_ticket_ = 0;                 // everything this entity's state depends on
  std::uint64_t term_ = 0;                 // of leadership in which it was loaded
  std::optional<timestamp_ms> timer_;      // the durable wake-up as stored
  std::uint32_t events_since_snapshot_ = 0;
  std::uint32_t bytes_since_snapshot_ = 0;
  std::uint32_t snapshot_bytes_ = 0;
  std::uint32_t resident_ = 0;             // as last reported
  phase phase_ = phase::idle;
  bool loads_ = false;                     // the store was asked and has not answered
  bool retired_ = false;
};

}  // namespace omnicart
