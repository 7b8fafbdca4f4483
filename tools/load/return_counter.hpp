#pragma once

#include <string>

#include "tools/load/shop_floor.hpp"

namespace omnicart::load {

// What comes back of a visitor's order: staff ship it, the visitor asks for the return of some
// units of one line, staff receive them, put them back and refund them. What is counted are the
// shop's answers.
class return_counter {
 public:
  // `order_json`: the order as its last answer showed it. Throws cannot_go_on when a call gets no
  // final answer: what it did could not be told.
  task<> send_back(shop_floor& floor, visit& here, std::string order_json);
  void summarise(scenario_outcome& out) const;

 private:
  std::int64_t returns_ = 0;
  std::int64_t units_ = 0;
};

}  // namespace omnicart::load
