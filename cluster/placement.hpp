#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace omnicart::cluster {

// Who leads a shard, as far as this node knows. A write is fenced by (shard, term).
struct leadership {
  std::string node;  // id of the leading node
  std::uint64_t term = 0;
  bool here = false;
};

// Which node serves which shard. Thread-safe.
class placement {
 public:
  virtual ~placement() = default;
  virtual leadership leader_of(std::uint16_t shard) const = 0;
};

// A cluster of one: this node leads every shard, in term 1 for ever.
class single_node final : public placement {
 public:
  explicit single_node(std::string node) : node_(std::move(node)) {}
  leadership leader_of(std::uint16_t shard) const override;

 private:
  std::string node_;
};

}  // namespace omnicart::cluster
