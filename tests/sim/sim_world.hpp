#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/news_bearer.hpp"
#include "tests/sim/sim_checks.hpp"
#include "tests/sim/sim_client.hpp"
#include "tests/sim/sim_clients.hpp"
#include "tests/sim/sim_desk.hpp"
#include "tests/sim/sim_journey.hpp"
#include "tests/sim/sim_node.hpp"
#include "tests/sim/sim_provider.hpp"
#include "tests/sim/sim_staff.hpp"
#include "tests/sim/timeline.hpp"
#include "tests/sim/toll.hpp"

namespace omnicart::sim {

struct story_end {
  std::optional<broken_law> broken;
  std::uint64_t trace_hash = 0;
  std::uint64_t steps = 0;
  std::uint64_t requests = 0;
  std::uint64_t crashes = 0;
  // Steps behind which a crash finds something new: on the disk, with a client or with the
  // provider. All that the others did is in memory, and goes with it.
  std::vector<std::uint64_t> turns;
  bool struck = false;         // by what the seed, or a single_crash, had in store
  std::uint64_t orders = 0;    // told to shoppers
  std::uint64_t captures = 0;  // in the provider's ledger
  std::uint64_t compared = 0;  // hashes of a shard's content, with those of another replica
  toll taken;                  // of several nodes
};

// What goes on in a shop whose node goes down once.
enum class tale : std::uint8_t { small_shop, journey };

// Instead of what the seed would draw: a story whose node goes down once, after this step.
struct single_crash {
  std::uint64_t after_step = 0;
  bool power_lost = false;  // or else it was only killed
  tale of = tale::small_shop;
};

// One seed: a shop full of clients on one node, which is killed, loses power, loses a sync, runs
// out of disk and comes back, two to six times. Then everything heals, what is open ends, hours
// pass, and the laws are checked: on the node as it runs, and on what a further restart finds on
// the disk.
class sim_world final : public wire {
 public:
  using reader = std::function<void(timestamp_ms, std::string_view)>;
  explicit sim_world(std::uint64_t seed, const reader& read_along = {},
                     std::optional<single_crash> crash = {});
  ~sim_world() override;

  story_end run();

 private:
  struct connection {
    entity_ref to;
    std::function<void(answer)> got;
  };
  enum class ailment : std::uint8_t {
    none,
    kill,
    power_loss,
    power_cut,
    failed_sync,
    disk_full,
    orderly_stop,
    read_only,
    flush
  };

  void reach(envelope message, std::function<void(answer)> got) override;
  void arrive(std::uint64_t number, envelope message);
  void deliver(std::uint64_t number, answer got, duration_ms delay);
  void break_connections();
  void invite();
  void heed_provider();

  void boot();
  enum class ending : std::uint8_t { killed, power_lost, stopped };
  void go_down(ending how);
  void strike();
  void plan_next_strike();
  ailment draw_ailment();
  void disturb_provider();
  bool open_for_business() const;
  void trade();
  void note_turn();
  void settle();
  void check_at_rest();
  void check_stored_states(const history& past);
  void check_disk();
  void step_until(duration_ms until);

  timeline time_;
  sim_provider provider_;
  sim_checks checks_{&time_};
  std::unique_ptr<sim_node> node_;
  disk_image disk_;
  const std::optional<single_crash> crash_;
  crowd_plan plan_;
  std::unique_ptr<staff> staff_;
  std::vector<std::unique_ptr<shopper>> shoppers_;
  std::unique_ptr<order_desk> desk_;    // null: nobody looks after orders
  std::unique_ptr<journey> journey_;    // null: another story
  std::unique_ptr<news_bearer> news_;   // null: the provider is only asked
  std::map<std::uint64_t, connection> connections_;  // requests that the node has not answered
  std::uint64_t requests_ = 0;
  std::uint64_t crashes_ = 0;
  std::uint64_t delivered_ = 0;  // answers
  std::uint64_t mark_ = 0;       // of what outlasts a crash
  std::vector<std::uint64_t> turns_;
  std::uint64_t strikes_left_ = 0;
  std::uint64_t strike_at_step_ = 0;
  bool struck_ = false;
  bool machine_runs_ = false;  // the node was killed, the machine below was not
  bool healed_ = false;
  bool dying_ = false;  // the journal has given up: the process ends with this step
  bool shop_is_open_ = false;
};

}  // namespace omnicart::sim
