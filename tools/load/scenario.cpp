#include "tools/load/scenario.hpp"

#include <algorithm>

namespace omnicart::load {

bool scenario_outcome::laws_hold() const {
  return std::all_of(laws.begin(), laws.end(), [](const law& each) { return each.holds; });
}

void take_sums(const told& clients, scenario_outcome& into) {
  into.orders = static_cast<std::int64_t>(clients.orders().size());
  into.lines = clients.lines;
  into.order_lines = clients.lines;
  into.units = clients.units;
  into.gross = clients.gross;
}

}  // namespace omnicart::load
