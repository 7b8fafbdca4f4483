#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/placement/next_step.hpp"
#include "tests/sim/committed_log.hpp"
#include "tests/sim/leader_terms.hpp"
#include "tests/sim/node_clock.hpp"
#include "tests/sim/replica_hashes.hpp"
#include "tests/sim/sim_checks.hpp"
#include "tests/sim/sim_network.hpp"
#include "tests/sim/sim_node.hpp"
#include "tests/sim/sim_provider.hpp"
#include "tests/sim/toll.hpp"

namespace omnicart::sim {

// What the story calls it.
inline std::string name_of(node_id node) { return "node " + std::to_string(node); }

// Several nodes on one timeline and network, each with a disk and clocks of its own, and the laws
// of replication, checked after every round of every journal. The first node founds the shards; who
// else holds them is wished for by the story, and the leaders see to it as in production.
class sim_cluster {
 public:
  enum class ending : std::uint8_t { killed, power_lost, stopped };

  // `like`: options of every node; `died` is called when a node has ended, however. All arguments
  // outlive the cluster.
  sim_cluster(timeline& time, sim_provider& provider, sim_checks& checks, node_id nodes,
              const node_options& like, std::function<void(node_id)> died);
  ~sim_cluster();

  // Boots it on what its disk kept. Breaks a law when that does not open, unless the power goes on
  // the way (`power_at`: at that operation of the disk), and then it is down.
  void start(node_id node, std::optional<std::uint64_t> power_at = {});
  void end(node_id node, ending how);
  // Nodes whose process or machine has ended by itself with this step.
  std::vector<node_id> doomed() const;
  bool up(node_id node) const { return at(node).machine->up(); }
  // A write or sync of the node's has failed: it says no success any more.
  bool storage_failed(node_id node);
  // For so long nothing happens in the process; clocks, machine and network go on.
  void stand_still(node_id node, duration_ms span);
  bool stands_still(node_id node) const { return time_.stands_still(timeline::owner_of(node)); }
  void jump_clock(node_id node, duration_ms ahead);
  // All clocks go on by so much at once.
  void skip(duration_ms span);

  node_id size() const { return static_cast<node_id>(members_.size()); }
  std::uint16_t group_count() const { return group_count_; }
  sim_node& node(node_id node) { return *at(node).machine; }
  sim_network& net() { return net_; }
  const committed_log& log() const { return log_; }
  const replica_hashes& hashes() const { return hashes_; }

  // What came of mishaps here and on the network.
  toll taken() const;

  // Who should hold the shard; its leader takes the steps.
  cluster::shard_wish& wish(std::uint16_t shard) { return wishes_[shard]; }
  // That may be given work; 0: none.
  node_id leader(std::uint16_t shard);
  // By the word of the shard's leader: whoever was removed may not know it.
  bool holds(node_id node, std::uint16_t shard);
  // Members of every shard are up and have applied all there is.
  bool agreed();
  // They hold the same; call it when they have agreed.
  void compare_replicas();
  std::string describe();

 private:
  struct member {
    member(const timeline& time, duration_ms up, std::int64_t fast) : clock(time, up, fast) {}
    node_clock clock;
    std::unique_ptr<sim_node> machine;
    disk_image disk;
    bool keeps_memory = false;  // killed: what was written is still there
    bool dying = false;         // its journal has given up
    disk_counters counted;      // of its disk, in the toll
    std::vector<std::uint64_t> landed;
    std::shared_ptr<int> steps = std::make_shared<int>(0);  // asked of journals, not ended
  };
  member& at(node_id node) { return *members_[node - 1]; }
  const member& at(node_id node) const { return *members_[node - 1]; }
  sim_node::hooks watch(node_id node);
  void after_round(node_id node);
  void check_leases();
  void tend_shards(node_id node);
  void note_entries(const persistence::committed_batch& batch);
  void took_office(node_id node, std::uint16_t shard, std::uint64_t term);
  void step_taken(cluster::shard_step::kind what);
  void go_on(node_id node);
  void count_disk(member& own);

  timeline& time_;
  sim_checks& checks_;
  const std::uint16_t group_count_;
  const std::function<void(node_id)> died_;
  sim_network net_;
  leader_terms terms_;
  replica_hashes hashes_;
  committed_log log_;
  toll taken_;
  std::vector<cluster::shard_wish> wishes_;
  std::vector<std::unique_ptr<member>> members_;
};

}  // namespace omnicart::sim
