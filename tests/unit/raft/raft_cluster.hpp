#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cluster/raft/raft_group.hpp"

namespace omnicart::raft {

// A law of Raft was broken. Thrown by the cluster below; the tests print the seed with it.
struct broken_law : std::logic_error {
  using std::logic_error::logic_error;
};

inline void law(bool holds, const std::string& what) {
  if (!holds) throw broken_law(what);
}

struct network_options {
  std::int64_t delay_us_min = 200;
  std::int64_t delay_us_max = 3'000;
  int late_percent = 0;  // of messages that take up to `late_us_max`
  std::int64_t late_us_max = 400'000;
  int lost_percent = 0;
  int doubled_percent = 0;
};

struct cluster_options {
  std::uint64_t seed = 1;
  std::vector<node_id> voters{1, 2, 3};
  std::vector<node_id> joiners;  // start with nothing on disk
  group_options group{.election_timeout = monotonic_time{150},
                      .heartbeat = monotonic_time{30},
                      .install_timeout = monotonic_time{600}};
  network_options network;
  std::int64_t disk_us_max = 2'000;  // of one write
  int clock_drift_percent_max = 0;
  unsigned snapshot_every = 0;  // applied entries; 0: never by itself
  unsigned trailing = 4;
};

// A group of replicas on a virtual clock, network and disks, in one thread and from one seed. After
// every event it checks: one leader per term; equal entries at equal committed indexes on all nodes
// and for ever; a new leader has all that is committed; whoever may read is the latest leader there
// was.
class raft_cluster {
 public:
  explicit raft_cluster(cluster_options options);

  // The story, told by a test or by random_life().
  void start(node_id node);
  void crash(node_id node);            // of what was not synced, a part may still be on disk
  void fail_next_write(node_id node);  // its process ends there
  void set_disk_us(node_id node, std::int64_t us) { at(node).disk_us = us; }
  void cut(node_id from, node_id to) { cuts_.insert({from, to}); }
  void isolate(node_id node);
  void heal() { cuts_.clear(); }
  void calm();  // no more faults by themselves, none pending
  std::optional<log_index> submit(node_id node, const std::string& text);
  bool transfer(node_id from, node_id to);
  bool change(node_id leader, const membership_change& change);
  bool catch_up(node_id leader, node_id node);
  bool take_snapshot(node_id node);

  void run_for(std::int64_t ms);
  // False when `reached` stays false for that long.
  bool run_until(const std::function<bool()>& reached, std::int64_t ms = 20'000);
  node_id wait_for_leader();  // one that may read
  std::string describe() const;

  // What is there.
  raft_group& group(node_id node) { return *at(node).group; }
  bool up(node_id node) const { return nodes_.at(node)->group != nullptr; }
  bool may_read(node_id node);
  std::vector<node_id> nodes() const;
  node_id leader() const;  // of the highest term, among those that are up; 0: none
  const std::vector<std::string>& applied(node_id node) { return at(node).content.texts; }
  const std::map<log_index, std::string>& acknowledged() const { return acknowledged_; }
  const std::map<log_index, log_entry>& log(node_id node) { return at(node).log; }
  term_number stored_term(node_id node) { return at(node).disk.hard.term; }
  std::uint64_t installs() const { return installs_; }
  std::uint64_t reads() const { return reads_; }
  std::mt19937_64& random() { return random_; }
  // Deliver something by hand.
  void inject(const message& m) { send(m); }
  // Sees every message that is sent; false: it is lost.
  std::function<bool(const message&)> filter;

 private:
  // What the store holds beside the log.
  struct store_content {
    log_index index = 0;
    std::vector<std::string> texts;
  };
  struct disk_state {
    hard_state hard;
    std::optional<snapshot_metadata> snapshot;
    std::map<log_index, log_entry> entries;
    store_content content;
  };
  struct pending_write {
    std::uint64_t write = 0;
    std::optional<hard_state> hard;
    std::vector<log_entry> entries;
    std::optional<std::pair<snapshot_metadata, store_content>> install;
  };
  struct submitted {
    log_index index = 0;
    term_number term = 0;
    std::string text;
  };
  struct node_state {
    node_id id = 0;
    int life = 0;  // counts starts; events of an earlier life are void
    std::unique_ptr<raft_group> group;
    disk_state disk;
    std::deque<pending_write> writing;
    std::int64_t disk_free_us = 0;
    std::int64_t disk_us = 0;
    bool next_write_fails = false;
    std::map<log_index, log_entry> log;  // as handed out
    store_content content;               // applied
    log_index checked = 0;               // committed entries compared
    std::vector<submitted> waiting;
    std::int64_t clock_offset_us = 0;
    std::int64_t clock_rate_ppm = 1'000'000;
  };
  struct event {
    std::int64_t at_us = 0;
    std::uint64_t order = 0;
    std::function<void()> run;
    bool operator<(const event& other) const {
      return std::pair(at_us, order) > std::pair(other.at_us, other.order);
    }
  };

  node_state& at(node_id node) { return *nodes_.at(node); }
  monotonic_time local(const node_state& n) const;
  std::int64_t global_us(const node_state& n, monotonic_time local_time) const;
  std::int64_t pick(std::int64_t low, std::int64_t high);
  bool chance(int percent) { return pick(0, 99) < percent; }
  void later(std::int64_t delay_us, std::function<void()> run);
  bool step(std::int64_t until_us);

  void handle(node_state& n, update u);
  void write(node_state& n, pending_write w);
  void complete_write(node_state& n);
  void send(const message& m);
  void deliver(const message& m);
  void read_entries(node_state& n, const entries_wanted& wanted);
  void fetch_snapshot(node_state& n, const snapshot_wanted& wanted, int attempts);
  void apply(node_state& n);
  void acknowledge(node_state& n);
  void check_commits(node_state& n);
  void check_leader(node_state& n);
  void check_reads();
  static void apply_write(disk_state& disk, const pending_write& w);

  cluster_options options_;
  std::mt19937_64 random_;
  std::int64_t now_us_ = 0;
  std::uint64_t next_order_ = 0;
  std::priority_queue<event> events_;
  std::map<node_id, std::unique_ptr<node_state>> nodes_;
  std::set<std::pair<node_id, node_id>> cuts_;
  std::map<log_index, log_entry> committed_;
  std::map<term_number, std::pair<node_id, int>> leaders_;
  std::map<log_index, std::string> acknowledged_;
  std::uint64_t installs_ = 0;
  std::uint64_t reads_ = 0;
};

// Traffic, faults, changes of membership, transfers and snapshots for `ms`, all drawn from the
// cluster's seed; then everything is mended, and all members must agree on everything acknowledged.
void random_life(raft_cluster& cluster, std::int64_t ms);

}  // namespace omnicart::raft
