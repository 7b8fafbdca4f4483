#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cluster/copy/shard_copier.hpp"
#include "tests/unit/persistence/store_fixture.hpp"

namespace omnicart::cluster {

// A law of the journal was broken. Thrown by the cluster below; the tests print the seed with it.
struct broken_law : std::logic_error {
  using std::logic_error::logic_error;
};

inline void law(bool holds, const std::string& what) {
  if (!holds) throw broken_law(what);
}

struct network_options {
  std::int64_t delay_ms_max = 3;
  int lost_percent = 0;
  int doubled_percent = 0;
};

// One item handed to a journal: an event whose text is its own, so that it is known again wherever
// it turns up.
struct sent_item {
  node_id to = no_node;
  int life = 0;  // of that node
  entity_ref entity;
  std::uint64_t version = 0;
  std::uint64_t term = 0;
  std::string text;
  std::optional<status> told;
};

class journal_cluster;

// The chunks that a node of the cluster sends: few at a time to each peer, and lost with it.
class virtual_chunks final : public chunk_channel {
 public:
  static constexpr std::size_t window = 3;

  virtual_chunks(journal_cluster& cluster, node_id self) : cluster_(cluster), self_(self) {}
  bool send(node_id to, std::string bytes) override;
  void consumed(node_id from, std::size_t bytes) override;

 private:
  journal_cluster& cluster_;
  node_id self_;
};

// A node's parts, in the order that it starts them in.
struct journal_parts {
  journal_parts(const persistence::store_options& store, const clock& time,
                std::unique_ptr<virtual_chunks> channel, journal_options commit);

  std::vector<std::string> fatal;
  std::unique_ptr<persistence::store> data;
  std::unique_ptr<persistence::timer_index> timers;
  std::unique_ptr<virtual_chunks> chunks;
  std::unique_ptr<shard_copier> copier;
  std::unique_ptr<replicated_journal> journal;
  std::unique_ptr<persistence::reader_pool> reader;
};

// Journals of several nodes, each with a store on a disk that forgets what was not synced, on a
// virtual clock and network, in one thread and from one seed. After every event it checks what
// holds at all times:
//   one leader of a shard per term; the same entry at the same index on every node; no content
//   before its entry is committed; equal content at equal applied index; each version of an entity
//   stands for one event; whoever was told "written" is in a committed entry, whoever was told
//   "unavailable" is in none; one node at most reads a shard by a lease, and one that is cut short
//   has ended before the message leaves that cuts it short.
class journal_cluster {
 public:
  static constexpr std::uint16_t shards = 2;
  static constexpr raft::monotonic_time election_timeout{150};
  static constexpr unsigned trailing_entries = 4;

  // Node 1 founds every shard; the others, up to `nodes`, wait to be told who belongs to them.
  explicit journal_cluster(std::uint64_t seed, node_id nodes = 3, network_options network = {});
  ~journal_cluster();

  // The story, told by a test.
  void start(node_id node);
  void crash(node_id node);  // power: of what was not synced, a part may be on the disk
  void stop(node_id node) { stopped_.insert(node); }  // its process gets no time
  void go_on(node_id node) { stopped_.erase(node); }
  void isolate(node_id node);
  void cut(node_id from, node_id to) { cuts_.insert({from, to}); }
  void heal() { cuts_.clear(); }
  void calm() { network_ = {}; }
  void raise_clock(std::int64_t ms) { time_.now += duration_ms{ms}; }  // on the wall
  void run_for(std::int64_t ms);
  // False when `reached` stays false for that long.
  bool run_until(const std::function<bool()>& reached, std::int64_t ms = 10'000);
  // Hands the next event of the entity to the node, as an entity's host there would: in the term in
  // which the node leads, with the version after the last one handed to it or stored. Nothing: the
  // node does not lead.
  std::shared_ptr<const sent_item> send(node_id node, const entity_ref& entity);
  std::optional<status> ask(node_id node, std::uint16_t shard,
                            const raft::membership_change& change);
  std::optional<status> ask_catch_up(node_id node, std::uint16_t shard, node_id behind);
  std::optional<status> ask_transfer(node_id node, std::uint16_t shard, node_id to);
  // All shards from one member to `nodes` of them, all voters.
  void grow(node_id nodes);

  // A marker of a cut was applied, and the node's store has the shard's content up to it.
  std::function<void(node_id, const marked_shard&)> marked;
  // A message of Raft leaves the node.
  std::function<void(node_id, const shard_message&)> overheard;

  // What is there.
  bool up(node_id node) const { return at(node).parts != nullptr; }
  bool ended(node_id node) const { return up(node) && !at(node).parts->fatal.empty(); }
  replicated_journal& journal(node_id node) { return *at(node).parts->journal; }
  journal_parts& parts(node_id node) { return *at(node).parts; }
  sim::fault_fs& disk(node_id node) { return *at(node).disk; }
  replica_view view(node_id node, std::uint16_t shard) { return journal(node).views()[shard]; }
  std::vector<node_id> nodes() const;
  node_id leader(std::uint16_t shard);  // that may be given work; 0: none
  node_id wait_for_leader(std::uint16_t shard);
  entity_ref entity_of(std::uint16_t shard, int number) const;
  std::vector<std::string> events(node_id node, const entity_ref& entity);
  const std::vector<std::pair<std::uint16_t, std::uint64_t>>& leaderships(node_id node) {
    return at(node).leaderships;
  }
  // All members of the shard have applied the same, and all of it.
  bool agreed(std::uint16_t shard);
  // What was told "written" stands in the entities of the shard's leader, once and in order.
  void check_written();
  std::mt19937_64& random() { return random_; }
  std::int64_t pick(std::int64_t low, std::int64_t high);
  std::string describe();
  // All shards' logs on the node are cut as far as they may be, without regard for followers.
  void cut_logs(node_id node);
  std::uint64_t copies(node_id node) const { return at(node).installs; }

  // Traffic, faults, transfers and changes of membership for `ms`, drawn from the seed; then all is
  // mended, and the members must agree on everything that was told "written".
  void live(std::int64_t ms);

 private:
  friend class virtual_chunks;

  struct node_state {
    int life = 0;
    std::shared_ptr<sim::fault_fs> disk;
    std::unique_ptr<journal_parts> parts;
    std::uint64_t installs = 0;
    std::vector<std::pair<std::uint16_t, std::uint64_t>> leaderships;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>
        versions;                                    // term, last version handed over
    std::map<std::uint16_t, std::uint64_t> checked;  // applied index whose content was compared
  };
  struct delivery {
    std::int64_t at_ms = 0;
    std::uint64_t order = 0;
    node_id from = no_node;
    node_id to = no_node;
    std::string frame;
    bool chunk = false;
    std::pair<int, int> lives;  // of sender and receiver of a chunk
    bool operator<(const delivery& other) const {
      return std::pair(at_ms, order) > std::pair(other.at_ms, other.order);
    }
  };

  node_state& at(node_id node) { return nodes_.at(node); }
  const node_state& at(node_id node) const { return nodes_.at(node); }
  journal_options options_of(node_id node);
  void transmit(node_id from, node_id to, const std::vector<shard_message>& messages);
  void step();
  void deliver(const delivery& next);
  void deliver_chunk(const delivery& next);
  void disconnect(node_id one, node_id other);
  void flush(node_id node);
  void committed(const persistence::committed_batch& batch);
  void act(std::int64_t what);
  void change_something(node_id lead, std::uint16_t shard);
  void mend();
  void start_all();
  void told(const std::shared_ptr<sent_item>& item, status outcome);
  void check(node_id node);
  std::string content(node_id node, std::uint16_t shard);
  std::optional<status> ask_and_wait(const std::function<void(replicated_journal::done_fn)>& ask);

  std::mt19937_64 random_;
  network_options network_;
  persistence::manual_clock time_;
  std::map<node_id, node_state> nodes_;
  std::set<node_id> stopped_;
  std::set<std::pair<node_id, node_id>> cuts_;
  std::priority_queue<delivery> wire_;
  std::uint64_t sent_ = 0;
  // Chunks, by sender and receiver: how many are under way, and when the last arrives.
  std::map<std::pair<node_id, node_id>, std::pair<std::size_t, std::int64_t>> on_the_way_;

  std::map<std::pair<std::uint16_t, std::uint64_t>, std::pair<node_id, int>>
      leaders_;                                                               // by shard and term
  std::map<std::pair<std::uint16_t, std::uint64_t>, std::string> committed_;  // by shard and index
  std::map<std::pair<std::uint16_t, std::uint64_t>, std::string>
      contents_;  // by shard and applied index
  std::map<std::pair<std::string, std::uint64_t>, std::string> history_;  // committed, by version
  std::set<std::string> written_;  // texts in committed entries
  std::vector<std::shared_ptr<sent_item>> items_;
};

}  // namespace omnicart::cluster
