#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "persistence/committed.hpp"
#include "persistence/store.hpp"

namespace omnicart::persistence {

// The committed log of each shard, for projections that catch up. Thread-safe; the store must
// outlive it.
class shard_log {
 public:
  explicit shard_log(store& data) : store_(data) {}

  // Entries from `first_index` on, in order, until `entries_max` or `bytes_max` is reached (at
  // least one if there is one). Errors: not_found when entries from there were truncated, io.
  result<std::vector<committed_entry>> read(std::uint16_t shard, std::uint64_t first_index,
                                            std::size_t entries_max, std::size_t bytes_max) const;
  // Lowest and highest stored index; {0, 0} for a shard never written to.
  struct extent {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  result<extent> stored(std::uint16_t shard) const;

  // Forgets entries up to `through`, which every projection must have taken. The last entry always
  // stays: index and log time go on from it. Durable no later than the next commit.
  status truncate(std::uint16_t shard, std::uint64_t through);

 private:
  store& store_;
};

}  // namespace omnicart::persistence
