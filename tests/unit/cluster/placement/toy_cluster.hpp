#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/placement/next_step.hpp"
#include "cluster/placement/plan.hpp"

namespace omnicart::cluster::trial {

// Shards with Raft's rules of membership and nothing of its messages: who is up votes, logs grow by
// numbers, changes take effect at once. The balancer and the stewards work on it as on a node; what
// they promise is checked at every step they take.
class toy_cluster {
 public:
  toy_cluster(std::uint32_t seed, std::size_t shard_count);

  void tick();
  // What operators and fate do; each does nothing where the cluster's record would refuse it.
  void something_happens();
  void add_node();
  void drain(node_id node);
  void resume(node_id node);
  bool remove(node_id node, bool force);
  void replace(node_id old_node, node_id new_node);
  void kill(node_id node);
  void revive(node_id node);
  void lose(node_id node);  // its disk; another comes for it
  void configure(std::uint32_t replicas, std::uint32_t moves_max);
  void transfer(std::size_t shard, node_id node);
  void rebalance();

  // Ends all that is wrong: everybody comes back, the lost are removed, pins go.
  void calm_down();
  // True when it stands still; false when it did not within so many ticks.
  bool settles(int ticks_max);
  // Plans and steps since the last call.
  std::size_t moves();
  // What is not as it should be once settled; empty when all is well.
  std::string complaint() const;

  std::vector<node_id> active() const;
  const plan_wish& wanted(std::size_t shard) const { return wanted_.at(shard); }
  std::size_t replicas_of(node_id node) const;
  std::size_t leads_of(node_id node) const;
  node_id leader(std::size_t shard) const { return shards_.at(shard).leader; }
  std::size_t most_moving() const { return most_moving_; }
  // Shards that had begun to move and not arrived, at most at the same time since the last call.
  std::size_t most_begun() { return std::exchange(most_begun_, 0); }

 private:
  struct toy_node {
    bool active = true;
    bool up = true;
    bool lost = false;
    int down_for = 0;  // ticks
  };
  struct toy_member {
    raft::role as = raft::role::standby;
    raft::log_index match = 0;
    raft::raft_group::catch_up_state catch_up = raft::raft_group::catch_up_state::none;
  };
  struct toy_shard {
    std::map<node_id, toy_member> members;
    node_id leader = no_node;
    raft::log_index last = 1;
  };

  bool chance(unsigned in) { return random_() % in == 0; }
  node_id any_node();
  std::vector<node_id> voters_of(const toy_shard& s) const;
  std::size_t up_voters(const toy_shard& s, node_id without = no_node) const;
  bool has_majority(const toy_shard& s, node_id without = no_node) const;
  std::vector<plan_node> plan_nodes() const;
  plan_input input() const;
  std::size_t moving() const;
  void run_logs(toy_shard& s);
  void elect(toy_shard& s);
  void balance();
  bool steward(std::size_t shard);  // false: there is no step to take
  shard_seen seen_by_leader(const toy_shard& s) const;
  void take(toy_shard& s, const shard_step& step);
  void check_votes(const toy_shard& s) const;

  std::mt19937 random_;
  std::map<node_id, toy_node> nodes_;
  node_id last_id_ = 1;
  std::vector<plan_wish> wanted_;
  std::vector<toy_shard> shards_;
  std::uint32_t replicas_ = 3;
  std::uint32_t moves_max_ = 4;
  std::size_t moves_ = 0;
  std::size_t most_moving_ = 0;
  std::set<std::size_t> begun_;
  std::size_t most_begun_ = 0;
};

}  // namespace omnicart::cluster::trial
