#include "cluster/recent_commands.hpp"

#include <algorithm>

namespace omnicart::cluster {
namespace {

std::size_t bytes_of(const receipt& proof) { return 160 + proof.detail.size() + proof.data.size(); }

}  // namespace

void recent_commands::begin(duration_ms now) {
  const std::lock_guard lock(guard_);
  all_.clear();
  where_.clear();
  first_ = 0;
  bytes_ = 0;
  complete_from_ = now;
}

void recent_commands::add(duration_ms now, const receipt& proof) {
  const std::lock_guard lock(guard_);
  all_.push_back({now, proof, bytes_of(proof)});
  bytes_ += all_.back().bytes;
  where_[proof.id] = first_ + all_.size() - 1;
  while (!all_.empty() && (all_.size() > count_max || bytes_ > bytes_max_ || all_.front().at < now - kept_for)) drop_oldest();
}

void recent_commands::drop_oldest() {
  const auto& oldest = all_.front();
  complete_from_ = std::max(complete_from_, oldest.at);
  if (const auto at = where_.find(oldest.proof.id); at != where_.end() && at->second == first_) where_.erase(at);
  bytes_ -= oldest.bytes;
  all_.pop_front();
  ++first_;
}

recollection recent_commands::find(duration_ms now, command_id id) const {
  const std::lock_guard lock(guard_);
  recollection known{.proof = std::nullopt, .reach = std::max(now - complete_from_, duration_ms{0})};
  if (const auto at = where_.find(id); at != where_.end()) known.proof = all_[at->second - first_].proof;
  return known;
}

}  // namespace omnicart::cluster
