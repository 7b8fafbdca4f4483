#pragma once

#include <cstdint>

namespace omnicart {

// Which shards this node serves, and in which term of leadership. A write is fenced by (shard, term). Thread-safe.
class placement {
 public:
  virtual ~placement() = default;
  virtual bool leads(std::uint16_t shard) const = 0;
  virtual std::uint64_t term(std::uint16_t shard) const = 0;
};

}  // namespace omnicart
