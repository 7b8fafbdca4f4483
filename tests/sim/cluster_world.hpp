#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/cart_witness.hpp"
#include "tests/sim/sim_clients.hpp"
#include "tests/sim/sim_cluster.hpp"
#include "tests/sim/sim_mishaps.hpp"
#include "tests/sim/sim_staff.hpp"
#include "tests/sim/sim_world.hpp"

namespace omnicart::sim {

// One seed: a shop on several nodes, full of clients that go to any of them, while nodes crash,
// lose power or their disks, clocks jump, the network loses and cuts, and shards move. Then
// everything heals, what is open ends, hours pass, and the laws are checked on every node.
class cluster_world final : public wire {
 public:
  using reader = sim_world::reader;
  cluster_world(std::uint64_t seed, node_id nodes, const reader& read_along = {});
  ~cluster_world() override;

  story_end run();

 private:
  struct connection {
    entity_ref to;
    std::function<void(answer)> got;
    node_id by = 0;
    bool given_up = false;  // the client has hung up
  };
  struct shared_cart {
    shared_cart(const std::string& name, const timeline& time, sim_checks& checks)
        : book(name, time, checks) {}
    cart_book book;
    std::vector<std::unique_ptr<cart_witness>> owners;
  };

  void invite();
  void reach(envelope message, std::function<void(answer)> got) override;
  node_id draw_entrance();
  void arrive(std::uint64_t number, envelope message);
  void deliver(std::uint64_t number, answer got, duration_ms delay);
  void hang_up(std::uint64_t number);
  void node_died(node_id node);
  void boot(node_id node);

  bool step(duration_ms until);
  bool open_for_business() const;
  void trade();
  void heal();
  void settle();
  void check_at_rest();
  void check_stored_states(node_id node);
  void check_disk(node_id node);

  timeline time_;
  sim_provider provider_;
  sim_checks checks_{&time_};
  crowd_plan plan_;
  std::unique_ptr<sim_cluster> cluster_;
  std::unique_ptr<sim_mishaps> mishaps_;
  std::unique_ptr<staff> staff_;
  std::vector<std::unique_ptr<shopper>> shoppers_;
  std::unique_ptr<order_desk> desk_;   // null: nobody looks after orders
  std::unique_ptr<news_bearer> news_;  // null: the provider is only asked
  std::vector<std::unique_ptr<shared_cart>> shared_;
  std::map<std::uint64_t, connection> connections_;  // requests that no node has answered
  std::uint64_t requests_ = 0;
  std::uint64_t crashes_ = 0;
  toll taken_;
  bool healed_ = false;
  bool shop_is_open_ = false;
};

}  // namespace omnicart::sim
