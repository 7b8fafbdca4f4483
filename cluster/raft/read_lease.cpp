#include "cluster/raft/read_lease.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace omnicart::raft {

read_lease::read_lease(monotonic_time election_timeout) : length_(election_timeout * 8 / 10) {}

void read_lease::begin() {
  echoes_.clear();
  suspended_ = false;
  distrusted_.reset();
}

void read_lease::echoed(node_id from, monotonic_time sent_at) {
  auto& latest = echoes_[from];
  latest = std::max(latest, sent_at);
}

void read_lease::suspend() { suspended_ = true; }

void read_lease::resume() { suspended_ = false; }

void read_lease::distrust(log_index last_index) {
  suspended_ = false;
  distrusted_ = last_index;
}

void read_lease::committed(log_index index) {
  if (distrusted_ && index > *distrusted_) distrusted_.reset();
}

std::optional<monotonic_time> read_lease::expires_at(monotonic_time now, node_id self,
                                                     std::span<const node_id> voters) const {
  if (suspended_ || distrusted_ || std::ranges::find(voters, self) == voters.end())
    return std::nullopt;
  std::vector<monotonic_time> stamps;
  for (const auto voter : voters) {
    const auto echo = echoes_.find(voter);
    if (voter == self) {
      stamps.push_back(now);
    } else if (echo != echoes_.end() && echo->second.count() > 0) {
      stamps.push_back(echo->second);
    }
  }
  const std::size_t majority = voters.size() / 2 + 1;
  if (stamps.size() < majority) return std::nullopt;
  std::ranges::sort(stamps, std::greater{});
  return stamps[majority - 1] + length_;
}

bool read_lease::holds(monotonic_time now, node_id self, std::span<const node_id> voters) const {
  const auto end = expires_at(now, self, voters);
  return end && now < *end;
}

}  // namespace omnicart::raft
