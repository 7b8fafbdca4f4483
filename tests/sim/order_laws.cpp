#include "tests/sim/order_laws.hpp"

namespace omnicart::sim {
namespace {

constexpr duration_ms clock_slack{
    10'000};  // shards and restarts read the wall clock at different moments

}  // namespace

bool sells(order::order_status status) {
  switch (status) {
    case order::order_status::pending:
    case order::order_status::authorised:
    case order::order_status::paid:
    case order::order_status::processing:
    case order::order_status::shipped:
    case order::order_status::delivered:
      return true;
    case order::order_status::rejected:
    case order::order_status::declined:
    case order::order_status::cancelled:
      return false;
  }
  return false;
}

bool may_become(order::order_status from, order::order_status to) {
  using enum order::order_status;
  if (from == to) return true;
  if (from == rejected || from == declined || from == cancelled) return false;
  // On invoice: others are never told while pending.
  if (from == pending) return to != paid && to != rejected && to != declined;
  return to == cancelled ||
         (static_cast<int>(to) > static_cast<int>(from) && static_cast<int>(to) <= 4);
}

std::string customer_of(const order::state& order) {
  if (!order.content.buyer.user.empty()) return "user " + order.content.buyer.user;
  std::string name = order.content.email;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

std::string price_book::fault_of(const order::state& order, timestamp_ms priced_at) const {
  std::int64_t total = 0;
  for (const auto& line : order.lines) {
    total += line.quantity * line.unit_price.amount_minor;
    const auto known = prices_.find(line.product.str());
    bool fits = false;
    for (std::size_t i = 0; known != prices_.end() && i < known->second.size(); ++i) {
      const auto& prices = known->second;
      const bool begun = prices[i].first <= priced_at + clock_slack;
      const bool ended =
          i + 1 < prices.size() && prices[i + 1].first < order.placed_at - clock_slack;
      fits = fits || (begun && !ended && prices[i].second == line.unit_price.amount_minor);
    }
    if (!fits) return line.product.str();
  }
  return total == order.total.amount_minor ? "" : "the total";
}

}  // namespace omnicart::sim
