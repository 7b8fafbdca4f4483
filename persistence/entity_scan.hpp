#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/store.hpp"
#include "runtime/entity_directory.hpp"

namespace omnicart::persistence {

// Names of the entities at rest, by jumping from one to the next over the key range of each shard:
// one seek per entity.
class entity_scan final : public entity_directory {
 public:
  // The store outlives it.
  explicit entity_scan(const store& data) : store_(data) {}

  result<std::vector<std::string>> ids(std::string_view kind, std::uint16_t shard,
                                       std::string_view after, std::size_t limit) override;
  std::uint16_t shard_count() const override { return store_.shard_count(); }

 private:
  const store& store_;
};

}  // namespace omnicart::persistence
