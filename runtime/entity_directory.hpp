#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace omnicart {

// Which entities exist, at rest or not: for checks that look at all of them. Thread-safe; reads the disk, so it is for
// operators' threads only.
class entity_directory {
 public:
  virtual ~entity_directory() = default;
  // Ids of this kind in one shard, in order, behind `after` ("" for the first), at most `limit`. Fault: io.
  virtual result<std::vector<std::string>> ids(std::string_view kind, std::uint16_t shard, std::string_view after,
                                               std::size_t limit) = 0;
  virtual std::uint16_t shard_count() const = 0;
};

}  // namespace omnicart
