#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cluster/backup/cut_messages.hpp"
#include "cluster/copy/copy_frame.hpp"
#include "cluster/link/drop_count.hpp"
#include "cluster/raft/membership.hpp"
#include "cluster/raft/types.hpp"
#include "cluster/recent_commands.hpp"
#include "cluster/replica.hpp"
#include "cluster/replica_control.hpp"
#include "cluster/replica_view.hpp"
#include "persistence/committed.hpp"
#include "persistence/item_queue.hpp"
#include "persistence/store.hpp"
#include "runtime/journal.hpp"
#include "runtime/placement.hpp"

namespace rocksdb {
class WriteBatch;
}

namespace omnicart::persistence {
class timer_index;
}

namespace omnicart::cluster {

class shard_copier;

// A Raft message and the shard whose group it is for.
struct shard_message {
  std::uint16_t shard = 0;
  raft::message content;
};

struct journal_options {
  std::size_t queue_items_max = 65'536;  // beyond either, refusing() says overloaded
  std::size_t queue_bytes_max = std::size_t{64} << 20;
  std::size_t batch_items_max = 4'096;  // bound the time one sync keeps others waiting
  std::size_t batch_bytes_max = std::size_t{4} << 20;
  std::size_t inbox_messages_max =
      65'536;  // of Raft, not yet taken; beyond either they are dropped, and sent again
  std::size_t inbox_bytes_max = std::size_t{64}
                                << 20;  // several times the largest message, an entry of 15 MiB
  std::size_t uncommitted_bytes_max = std::size_t{64} << 20;  // proposed, of all shards; the rest waits outside the logs
  duration_ms check_every{1'000};           // free disk and number of receipts

  raft::node_id self = 1;
  bool founder = true;  // shards that nobody has written to begin here, with this node as their only voter
  unsigned seed = 1;    // of the election timeouts
  raft::monotonic_time election_timeout{1'000};
  raft::monotonic_time heartbeat{100};
  raft::monotonic_time install_timeout{60'000};  // a follower that took longer to copy a shard is offered it again
  unsigned trailing_entries = 10'000;  // of a shard with other members, kept behind what is applied for those that lag
  std::size_t log_memory_bytes_max = std::size_t{64} << 10;  // of one shard's newest entries, kept for followers

  // All called on the journal's thread; none may block.
  //
  // After a batch is durable and in the store, before its `done` callbacks and before last_index() and may_read() tell of it: what is
  // kept in memory from it is there when the answer leaves, and for who waited for an index.
  std::function<void(const persistence::committed_batch&)> committed;
  // The log holds an entry that does not read, for which a follower waits: another node had better lead. May be null.
  std::function<void(const error&)> damaged;
  // After a failed write or sync, when every open item has been told. Null: one line on stderr, _exit(74).
  std::function<void(const std::string&)> fatal;
  // This node leads the shard in this term from now on, or (0) no longer: entities in memory are then out of date, also
  // those that came too late for the last call. Either is called while leads() says no.
  std::function<void(std::uint16_t shard, std::uint64_t term)> leadership;
  // Another node, or this one, was heard to lead the shard; it may still be about to begin.
  std::function<void(std::uint16_t shard, raft::node_id leader)> led_by;
  // Fetches what a replica needs that is new or too far behind; outlives the journal, and is stopped before it is
  // destroyed. Null: such a replica waits.
  shard_copier* copies = nullptr;
  raft::monotonic_time copy_again_after{1'000};  // a copy that failed
  // Takes Raft's messages to another node; may lose them. Null: a node without others.
  std::function<void(raft::node_id to, std::vector<shard_message>)> send;
  // The shard's content was replaced by another node's; its histories contain the log through this index. Rows made
  // from the shard's entities are to be made anew from those, and entries up to there passed over.
  std::function<void(std::uint16_t shard, std::uint64_t through)> installed;
  // The store has the shard's content through this marker and nothing behind it, until this returns. May be null.
  std::function<void(const marked_shard&)> marked;
  // Monotonic microseconds, for the latency figures only; null: the clock's milliseconds.
  std::function<std::uint64_t()> now_us;
};

struct journal_stats {
  static constexpr std::size_t buckets = 24;  // bucket n counts values in [2^n, 2^(n+1)); 0 goes to bucket 0

  std::uint64_t items = 0;
  std::uint64_t batches = 0;  // group commits that wrote: one sync each
  std::uint64_t batch_bytes = 0;
  std::uint64_t queue_items = 0;  // now
  std::uint64_t queue_bytes = 0;
  std::array<std::uint64_t, buckets> batch_items{};  // histogram of items per write
  std::array<std::uint64_t, buckets> commit_us{};    // histogram of write + sync
  std::uint64_t commit_us_total = 0;
  std::uint64_t malformed = 0;  // Raft's messages that no sound node sends: dropped
};

// The durable log of a node, replicated by shard: gathers what all shards handed over and what their other replicas
// sent, and writes it as one batch with one sync. Where this node is a shard's only voter that is all; else an entry
// counts once a majority has it.
//
// Production: start() runs it on a thread of its own. Simulator: nobody calls start(); flush_once() does the work on the
// caller's thread. Never both.
//
// refusing() answers, in this order: shutting_down, unknown_outcome (a write has failed; the
// process is about to end), storage_full (free disk below the store's limit), overloaded (queue
// beyond its limits, or as many receipts stored as allowed). It is advice for new work: append()
// still takes what was decided before. An item is told
//   unavailable       it was decided by a leader that is none any more, or behind something that
//                     the log did not take (the shard's entities are then let go and begin anew);
//                     nothing was written
//   unknown_outcome   leadership was lost, or a write failed, while it was on its way
class replicated_journal final : public journal, public placement {
 public:
  // Reads the last log entry and the replica's record of every shard. All arguments must outlive the journal.
  static result<std::unique_ptr<replicated_journal>> open(persistence::store& data, persistence::timer_index& timers,
                                                          const clock& time, journal_options options);
  ~replicated_journal() override;  // stops

  ticket append(journal_item item) override;
  ticket durable(const entity_ref& entity) const override;
  std::optional<error> refusing() const override;
  timestamp_ms log_time(const entity_ref& entity) override;
  std::uint64_t term_of(const entity_ref& entity) const override;
  bool may_answer(const entity_ref& entity) const override;
  recollection recall(const entity_ref& entity, command_id id) const override;
  // The same for a whole shard: it is led here and nobody else can have decided anything.
  bool may_read(std::uint16_t shard) const;

  bool leads(std::uint16_t shard) const override { return term(shard) != 0; }
  std::uint64_t term(std::uint16_t shard) const override;
  std::optional<node_id> leader(std::uint16_t shard) const override;

  // Raft's messages from another node. Any thread; never blocks.
  void receive(std::vector<shard_message> messages);

  // Asked of the shard's leader; `done` hears the end of it, once, on the journal's thread. Any thread; never blocks.
  // Refusals: unavailable (naming the leader), overloaded (another request of the kind is under way), those of
  // raft_group, shutting_down. unknown_outcome: leadership was lost before the end.
  using done_fn = control_request::done_fn;
  // Success: the change is committed.
  void change_membership(std::uint16_t shard, raft::membership_change change, done_fn done);
  // Success: the standby or spare has the log and may be made a voter. timeout: it is too slow, or did not answer for
  // 5 s, as while it is sent a large snapshot: ask again; what it has got is not lost.
  void catch_up(std::uint16_t shard, node_id node, done_fn done);
  // Success: this node leads the shard no more. timeout: the node did not take over, and this one goes on.
  void transfer(std::uint16_t shard, node_id node, done_fn done);
  // Entries up to `through` are needed by nobody here (projections have read them). They are removed as far as
  // followers may do without them; the last one always stays. Any thread; never blocks.
  void cut_log(std::uint16_t shard, std::uint64_t through);
  // This node's part in a cut over all shards; `done` hears how it went, once, on the journal's
  // thread, without waiting for a write. While paused nothing that was handed over is put into a
  // log, so nobody is told of it; everything else goes on. Pauses end by themselves, and when the
  // journal stops; from then on, and after a failed write, nothing is held (after stop() `done`
  // hears so at once, on the caller's thread). Any thread; never blocks.
  using cut_done_fn = std::function<void(cut_report)>;
  void obey(cut_order order, cut_done_fn done);
  // Of every shard, in order. Any thread; costs a copy.
  std::vector<replica_view> views() const;

  // One round: what came from peers, timeouts, queued items, one write. True while more is queued. Rounds without
  // anything to store write nothing.
  bool flush_once();
  // When the next round is due although nothing comes in, from now; max(): never. For whoever calls flush_once().
  raft::monotonic_time until_next_timeout() const;
  raft::monotonic_time clock_due(const replica& r) const;
  void start();
  // New work is refused from here; what is queued is written, then the thread ends. Items handed over after it has
  // returned are neither written nor told.
  void stop();

  // As many receipts are stored as store_options allow, as far as the last check knows.
  bool receipts_full() const { return receipts_full_.load(std::memory_order_relaxed); }
  // Index of the shard's last applied log entry; 0: none yet. Any thread.
  std::uint64_t last_index(std::uint16_t shard) const { return shards_[shard].applied.load(); }
  journal_stats stats() const;

 private:
  struct round;
  struct copied_shard {
    std::uint16_t shard = 0;
    std::uint64_t attempt = 0;
    result<shard_content> content;
  };
  // What other threads may know of a replica.
  struct shard_state {
    std::atomic<std::int64_t> time_ms{std::numeric_limits<std::int64_t>::min()};
    std::atomic<std::uint64_t> applied{0};
    std::atomic<ticket> durable{0};
    std::atomic<std::uint64_t> term{0};
    std::atomic<std::uint64_t> fence{0};  // of entities, in that term
    std::atomic<node_id> leader{0};
    std::atomic<std::int64_t> lease_until_ms{0};
    recent_commands recent;
  };

  replicated_journal(persistence::store& data, persistence::timer_index& timers, const clock& time,
                     journal_options options);
  status recover();
  status recover(std::uint16_t shard, round& first);
  status recover_owner(round& first);
  void recall_stored(std::uint16_t shard, raft::log_index applied);

  // While a cut is taken: nothing is put behind its markers.
  struct cut_pause {
    cut_id cut = 0;
    raft::monotonic_time until{0};
    std::uint64_t began_us = 0;
    std::vector<shard_mark> marks;
  };

  // The steps of a round (journal_loop.cpp).
  bool take_copies(round& now);
  void take_messages(round& now);
  void take_controls(round& now);
  void take_timeouts(round& now);
  void hand_on(replica& r, round& now);
  void take_items(round& now);
  void propose(replica& r, std::vector<persistence::queued_item> items, round& now);
  void propose_entry(replica& r, std::vector<persistence::queued_item> taken, round& now);
  void refuse(replica& r, std::vector<persistence::queued_item> items, const error& why,
              round& now);
  void wait_behind(replica& r, std::vector<persistence::queued_item> barriers, round& now);
  void finish_own(const replica& r, std::vector<persistence::queued_item> items, round& now);
  bool settle(round& now);
  void note(replica& r, raft::update update, round& now);
  void end_lease(const replica& r);
  void note_entries(replica& r, const std::vector<raft::log_entry>& entries, round& now);
  void note_change(replica& r, const raft::log_entry& entry, round& now);
  timestamp_ms time_of_last(const replica& r) const;
  void take_back(replica& r, raft::log_index first, round& now);
  void put_content(replica& r, const raft::log_entry& entry, round& now);
  void answer_reads(replica& r, std::vector<raft::entries_wanted> reads, round& now);
  void send_out(round& now);
  bool write(round& now);
  void confirm(round& now);
  void apply(round& now);
  void apply_next(replica& r, round& now);
  void remember(std::uint16_t shard, const persistence::log_entry& applied);
  // Content from other nodes (journal_copies.cpp).
  void begin_install(replica& r, const raft::snapshot_wanted& wanted, round& now);
  void lose_content(replica& r, raft::monotonic_time copy_at);
  bool tend_copies(round& now);
  void start_copy(replica& r);
  status restart(replica& r, round& now);
  bool take_content(replica& r, const shard_content& content, round& now);
  void note_whole(replica& r, rocksdb::WriteBatch& out);

  // Cuts (journal_cuts.cpp).
  void take_cut_orders(round& now);
  cut_report carry_out(const cut_order& order, round& now);
  void mark_shards(round& now);
  bool still_leads(const shard_mark& mark);
  void note_mark(const persistence::committed_entry& applied, round& now);
  void tell_marks(round& now);

  void publish(round& now);
  void publish_term(replica& r, raft::term_number term);
  void publish_view(replica& r);
  void cut(replica& r, raft::log_index through, round& now);
  void settle_controls(replica& r, round& now);
  void abandon(replica& r, round& now);
  bool must_wait(const replica& r) const;
  bool held_may_go() const;
  void hold(replica& r, std::vector<persistence::queued_item> items);
  void tell(round& now);

  void fail_all(round& now, const std::string& why);
  void give_up();
  void ask(control_request asked);
  void count(std::size_t items, std::size_t bytes, std::uint64_t took_us);
  void run();
  void gather();
  void ring();
  void raise_time(std::uint16_t shard, timestamp_ms to);
  void check_limits() const;
  std::uint64_t now_us() const;
  raft::monotonic_time monotonic() const { return clock_.monotonic(); }

  persistence::store& store_;
  persistence::timer_index& timers_;
  const clock& clock_;
  journal_options options_;
  replica_storage storage_;
  std::unique_ptr<shard_state[]> shards_;
  std::vector<replica> replicas_;

  persistence::item_queue queue_;
  std::vector<std::uint16_t> copying_;  // shards without content
  std::size_t proposed_bytes_ = 0;      // in all proposals
  std::size_t held_bytes_ = 0;          // in all that is held
  std::atomic<std::size_t> waiting_bytes_{0};  // the sum, for other threads

  std::optional<cut_pause> pause_;
  drop_count malformed_{"a message of Raft's is none that a sound node sends"};

  std::mutex inbox_guard_;  // of what follows, as far as closed_
  std::vector<shard_message> inbox_;
  std::size_t inbox_bytes_ = 0;
  std::vector<control_request> asked_;
  std::vector<copied_shard> copied_;
  std::vector<std::pair<cut_order, cut_done_fn>> cuts_asked_;
  bool closed_ = false;  // stop() was called: nothing more is asked
  mutable std::mutex views_guard_;
  std::vector<replica_view> views_;

  std::mutex bell_guard_;
  std::condition_variable bell_;
  std::atomic<bool> asleep_{false};
  bool rung_ = false;
  std::size_t gathered_ = 0;  // messages with entries, and items, of this round
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};

  mutable std::atomic<std::int64_t> next_check_ms_{std::numeric_limits<std::int64_t>::min()};
  mutable std::atomic<bool> disk_low_{false};
  mutable std::atomic<bool> receipts_full_{false};

  mutable std::mutex stats_mutex_;
  journal_stats stats_;
  std::thread thread_;
};

}  // namespace omnicart::cluster
