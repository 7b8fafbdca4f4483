#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/base/result.hpp"

namespace omnicart::persistence {

class store;

// A store's number from the value of its record; nothing when that is none.
std::optional<std::uint64_t> parse_store_identity(std::string_view value);

// The number that tells this store from any other, also from one that is made in its place after the disk was lost. A store
// that has none yet gets `fresh` (random, not 0), durably. What a node promised to others stands in its store, so they believe
// its number only with this one. Not for two threads at a time. Fault: io.
result<std::uint64_t> store_identity(store& data, std::uint64_t fresh);

}  // namespace omnicart::persistence
