#pragma once

#include <cstdint>
#include <vector>

#include "persistence/key_layout.hpp"

namespace omnicart::persistence {

// An entry of a shard's log that nothing can take back, and whose content is in the store.
struct committed_entry {
  std::uint16_t shard = 0;
  std::uint64_t index = 0;
  log_entry entry;
};

// Some of them, by shard in order.
struct committed_batch {
  std::vector<committed_entry> entries;
};

}  // namespace omnicart::persistence
