#pragma once

#include <cstddef>
#include <string>

#include "tests/sim/sim_client.hpp"
#include "tests/sim/sim_provider.hpp"

namespace omnicart::sim {

// The provider's webhooks: each entry of its ledger is told to the order that it is of, soon or
// late, in any order, and sometimes twice, until the order has taken it.
class news_bearer final : public sim_client {
 public:
  // `provider` outlives it.
  news_bearer(timeline& time, wire& node, sim_checks& checks, const sim_provider& provider);
  // Sets out with what is new. Call it after every step.
  void look();
  bool idle() const { return under_way_ == 0 && seen_ == provider_.ledger().size(); }

 private:
  void set_out(const pay::entry& with);
  void tell(const pay::entry& what);

  const sim_provider& provider_;
  std::size_t seen_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace omnicart::sim
