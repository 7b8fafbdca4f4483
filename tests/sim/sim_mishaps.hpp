#pragma once

#include <cstdint>

#include "tests/sim/sim_cluster.hpp"
#include "tests/sim/toll.hpp"

namespace omnicart::sim {

// What happens to a cluster while it trades, drawn from the seed: one mishap after the other, some
// at once, each of which ends by itself.
class sim_mishaps {
 public:
  // Both outlive it.
  sim_mishaps(timeline& time, sim_cluster& cluster);

  // From now on, so many.
  void begin(std::uint64_t count);
  // None happens any more, and what lasts is over.
  void end();
  // Those that changed anything at once; of the others the cluster knows.
  const toll& taken() const { return taken_; }

 private:
  enum class mishap : std::uint8_t {
    kill,
    power_loss,
    power_cut,
    failed_sync,
    disk_full,
    read_only,
    orderly_stop,
    blackout,
    flush,
    isolate,
    isolate_leader,
    halves,
    one_way,
    deaf,
    broken_line,
    weather,
    clock,
    membership,
    transfer,
    cut_logs,
    standstill
  };

  void plan_next();
  void strike();
  void strike(mishap what);
  mishap draw();
  void end_node(mishap what, node_id node);
  void hurt_disk(mishap what, node_id node);
  void hurt_network(mishap what, node_id node);
  void cut_off(harm what, node_id node);
  void halve();
  void heal_later(harm what, bool cut);
  void change_members();
  void admit(std::uint16_t shard, node_id node);
  void wish_for_another_leader();
  void cut_logs_of(node_id node);
  bool runs(node_id node) const { return cluster_.up(node) && !cluster_.stands_still(node); }
  node_id draw_node();
  node_id draw_other(node_id node);
  node_id draw_leader(node_id otherwise);
  std::uint16_t draw_shard();
  void later(duration_ms delay, std::function<void()> what);

  timeline& time_;
  sim_cluster& cluster_;
  std::uint64_t left_ = 0;
  bool over_ = false;
  toll taken_;
};

}  // namespace omnicart::sim
