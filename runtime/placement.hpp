#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/base/result.hpp"

namespace omnicart {

// A node of the cluster. 0 is none; a number is never given twice, not even after its node was removed.
using node_id = std::uint64_t;

// Which shards this node serves, and in which term of leadership. A write is fenced by (shard, term). Thread-safe.
class placement {
 public:
  virtual ~placement() = default;
  virtual bool leads(std::uint16_t shard) const = 0;
  virtual std::uint64_t term(std::uint16_t shard) const = 0;
  // Who leads it as far as this node has heard, itself included; nothing while nobody is known to. May be out of date:
  // whoever is asked in vain says who leads by its own knowledge.
  virtual std::optional<node_id> leader(std::uint16_t) const { return std::nullopt; }
};

// The fault of a node that does not lead the shard (base_errc::unavailable): nothing was done. Its data names the leader
// if one is known.
error not_the_leader(std::optional<node_id> leader);
// The leader such a fault names; nothing for other errors and for data that names none.
std::optional<node_id> leader_named_by(const error& why);

}  // namespace omnicart
