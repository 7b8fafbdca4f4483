#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "cluster/node_id.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::cluster {

// When a node may be offered the lead of a shard again that it did not take over: a shard takes no
// writes during a transfer, so one that fails is not repeated at once and for ever. Times are of
// any clock that does not go back. Thread-safe.
class transfer_pauses {
 public:
  static constexpr duration_ms first{250};  // doubled with each failure that follows
  static constexpr duration_ms longest{10'000};

  bool may_try(std::uint16_t shard, node_id node, duration_ms now) const;
  void failed(std::uint16_t shard, node_id node, duration_ms now);
  void succeeded(std::uint16_t shard, node_id node);
  void forget();  // all that failed
  // Of whom something is remembered: pauses that ended `longest` ago are forgotten.
  std::size_t size() const;

 private:
  struct pause {
    duration_ms length{0};
    duration_ms until{0};
  };
  mutable std::mutex guard_;  // asked where steps are planned, told by the journal
  std::map<std::pair<std::uint16_t, node_id>, pause> pauses_;
};

}  // namespace omnicart::cluster
