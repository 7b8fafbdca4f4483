#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/journal.hpp"

namespace omnicart::sim {

// Every event of every entity since the store was made, from the log, which keeps it all.
struct recorded {
  std::uint64_t version = 0;
  event_record record;
};
using history = std::map<std::string, std::vector<recorded>>;  // by "kind/id", in order of version

}  // namespace omnicart::sim
