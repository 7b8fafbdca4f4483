#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/order/order_messages.hpp"
#include "tests/sim/sim_client.hpp"

namespace omnicart::sim {

// Whoever looks after orders that stand: parcels of a part or of all, returns that the buyer asks
// for or that are just there, refunds by line and by amount.
class order_desk final : public sim_client {
 public:
  order_desk(timeline& time, wire& node, sim_checks& checks, std::uint32_t actions);
  // When the shop opens.
  void start() { rest(); }
  bool finished() const { return finished_; }
  void heard_of_order(const std::string& id) { orders_.push_back(id); }

 private:
  using action = std::function<void()>;

  void rest();
  void act();
  void tend(const std::string& id, const order::order_view& view);
  std::vector<action> choices(const std::string& id, const order::order_view& view);
  void add_returns(const std::string& id, const order::order_view& view,
                   std::vector<action>& choices);
  void give_back(const std::string& id, const order::order_view& view, const order::line_counts& of);
  // Some units of some lines, of those that `left` says there are.
  template <class Left>
  order::line_counts draw(const order::order_view& view, Left left);
  void say(const std::string& id, std::string label, const order::command& what,
           const caller* instead = nullptr);

  std::uint32_t left_;
  bool finished_ = false;
  std::vector<std::string> orders_;
};

}  // namespace omnicart::sim
