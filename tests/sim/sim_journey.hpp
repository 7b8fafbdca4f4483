#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "actors/order/order_messages.hpp"
#include "tests/sim/sim_client.hpp"
#include "tests/sim/sim_provider.hpp"

namespace omnicart::sim {

// One way through the shop, the same each time, of which every figure is known beforehand: an order
// with a coupon and a gift card, tax and shipping, sent in two parcels, a unit of it returned,
// refunded by the shop to provider and card, and by the provider's own people; and an order that is
// cancelled and gives everything back. It goes on when a step is done, however often the node
// crashes meanwhile.
class journey final : public sim_client {
 public:
  // Products p0 at 1.00 and p1 at 1.10 are there, 12 units of each. `provider` outlives it.
  journey(timeline& time, wire& node, sim_checks& checks, sim_provider& provider);
  void start() { next(); }
  bool finished() const { return at_ > script_.size(); }

 private:
  using condition = std::function<bool(const order::order_view&)>;

  std::vector<std::function<void()>> script();
  void next();
  // Says it until it is done; a refusal breaks a law.
  void say(const std::string& label, const entity_ref& to, std::string command, const caller& by);
  void say(const std::string& label, const entity_ref& to, std::string command) {
    say(label, to, std::move(command), who_);
  }
  // Looks at the order until it is so and nothing is owed any more.
  void await(const std::string& what, const entity_ref& order, condition is_so,
             std::uint32_t looks = 0);
  // What it is found as at the end.
  void find(const std::string& what, const entity_ref& at, std::string get,
            std::function<bool(const answer&)> is_so);
  void add_to_cart(const char* product, std::int64_t quantity, std::int64_t price_minor);
  void place(const entity_ref& order, order::place what);
  order::line_counts units(const char* product, std::int64_t quantity) const;

  sim_provider& provider_;
  const caller buyer_;
  const entity_ref bought_, cancelled_;
  order::order_view seen_;  // the order that was bought, last
  std::size_t at_ = 0;
  std::vector<std::function<void()>> script_;
};

}  // namespace omnicart::sim
