#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "runtime/journal.hpp"

namespace omnicart::cluster {

// Of one shard: what came of the commands that nodes named for the way to its leader (envelope::brief). Every replica keeps
// them as it applies its log, so whoever leads next knows what was executed. Nothing of it is stored: a node that has
// just started, or took the content from another, says from when on it knows. Thread-safe.
//
// Spans and moments are of this node's monotonic clock: log times would not do, for a leader whose wall clock is behind
// gives many entries the same one.
class recent_commands {
 public:
  static constexpr duration_ms kept_for{60'000};
  static constexpr std::size_t count_max = 4'096;
  static constexpr std::size_t bytes_max = std::size_t{512} << 10;  // unless bound() says less

  // At most so many; before anything is added.
  void bound(std::size_t bytes) { bytes_max_ = std::min(bytes, bytes_max); }
  // What was applied before is not known.
  void begin(duration_ms now);
  // Applied just now.
  void add(duration_ms now, const receipt& proof);
  recollection find(duration_ms now, command_id id) const;

 private:
  struct kept {
    duration_ms at;
    receipt proof;
    std::size_t bytes;
  };
  struct by_bits {
    std::size_t operator()(const command_id& id) const { return static_cast<std::size_t>(id.high ^ id.low); }
  };
  void drop_oldest();

  mutable std::mutex guard_;
  duration_ms complete_from_{0};                                  // all that was applied later is here
  std::deque<kept> all_;                                          // in order of `at`
  std::uint64_t first_ = 0;                                       // number of the first of them
  std::unordered_map<command_id, std::uint64_t, by_bits> where_;  // numbers of all
  std::size_t bytes_ = 0;
  std::size_t bytes_max_ = bytes_max;
};

}  // namespace omnicart::cluster
