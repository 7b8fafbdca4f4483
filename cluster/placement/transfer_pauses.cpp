#include "cluster/placement/transfer_pauses.hpp"

#include <algorithm>

namespace omnicart::cluster {

bool transfer_pauses::may_try(std::uint16_t shard, node_id node, duration_ms now) const {
  const std::lock_guard lock(guard_);
  const auto found = pauses_.find({shard, node});
  return found == pauses_.end() || now >= found->second.until;
}

void transfer_pauses::failed(std::uint16_t shard, node_id node, duration_ms now) {
  const std::lock_guard lock(guard_);
  std::erase_if(pauses_, [&](const auto& each) { return now >= each.second.until + longest; });
  auto& of = pauses_[{shard, node}];
  of.length = std::clamp(of.length * 2, first, longest);
  of.until = now + of.length;
}

void transfer_pauses::succeeded(std::uint16_t shard, node_id node) {
  const std::lock_guard lock(guard_);
  pauses_.erase({shard, node});
}

void transfer_pauses::forget() {
  const std::lock_guard lock(guard_);
  pauses_.clear();
}

std::size_t transfer_pauses::size() const {
  const std::lock_guard lock(guard_);
  return pauses_.size();
}

}  // namespace omnicart::cluster
