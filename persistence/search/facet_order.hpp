#pragma once

#include <algorithm>
#include <vector>

#include "persistence/search/fact_table.hpp"

namespace omnicart::search {

// The `most` with the highest counts, equal ones by their values.
inline std::vector<facet_count> most_frequent(std::vector<facet_count> all, std::size_t most) {
  std::sort(all.begin(), all.end(), [](const facet_count& a, const facet_count& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  });
  all.resize(std::min(all.size(), most));
  return all;
}

}  // namespace omnicart::search
