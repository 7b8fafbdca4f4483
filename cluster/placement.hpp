#pragma once

#include <cstdint>

#include "runtime/placement.hpp"

namespace omnicart::cluster {

// A cluster of one: this node leads every shard, in term 1 for ever.
class single_node final : public placement {
 public:
  bool leads(std::uint16_t shard) const override;
  std::uint64_t term(std::uint16_t shard) const override;
};

}  // namespace omnicart::cluster
