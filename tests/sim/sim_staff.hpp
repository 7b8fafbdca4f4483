#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "actors/stock/stock_messages.hpp"
#include "tests/sim/sim_client.hpp"
#include "tests/sim/sim_clients.hpp"

namespace omnicart::sim {

// The shop's people: the catalogue, prices, deliveries and counts by location, transfers between
// them, what may be sold ahead and to whom, and orders on their way. What stock records answer is
// compared with their events.
class staff final : public sim_client {
 public:
  staff(timeline& time, wire& node, sim_checks& checks, const crowd_plan& plan,
        std::uint32_t actions);
  // Fills the shop, then calls `open`.
  void start(std::function<void()> open);
  bool finished() const { return finished_; }
  void heard_of_order(const std::string& id) { orders_.push_back(id); }
  // With everything at rest: all stock records once more.
  void look_back();

 private:
  struct transfer {
    std::string id;
    std::string product;
    std::int64_t quantity = 0;
  };

  void set_up(std::uint32_t product, std::function<void()> open);
  void set_up_codes(std::uint32_t code, std::function<void()> open);
  void stock_up(const std::string& product, const std::function<void()>& then);
  void act();
  void rest();
  void change_price();
  void correct();
  void count();
  void set_terms();
  void send_transfer();
  void end_transfer();
  void move_an_order();
  // Asks a stock record, and compares its answer.
  void ask_stock(std::string label, const std::string& product, const stock::command& what,
                 keyed how, std::function<void(const answer&)> known);
  void receive(const transfer& what, const std::function<void(const answer&)>& known);
  void recall(const transfer& what, const std::function<void(const answer&)>& known);
  stock::terms draw_terms();
  std::string draw_product();
  std::string draw_location();

  const crowd_plan plan_;
  std::uint32_t left_;
  bool finished_ = false;
  std::vector<std::string> orders_;
  std::vector<transfer> under_way_;
  std::map<std::string, stock::stock_view> seen_;  // by product, last
};

}  // namespace omnicart::sim
