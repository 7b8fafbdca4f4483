#include "tools/load/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace omnicart::load {

std::uint64_t histogram::highest_of(std::size_t index) {
  if (index < exact_count) return index;
  const auto shift = static_cast<int>((index - exact_count) / half_count) + 1;
  const std::uint64_t sub = (index - exact_count) % half_count + half_count;
  return (sub << shift) + ((std::uint64_t{1} << shift) - 1);
}

std::uint64_t histogram::percentile(double percent) const {
  if (count_ == 0) return 0;
  const double exact_rank = std::ceil(percent / 100.0 * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(exact_rank), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(highest_of(i), max_);
  }
  return max_;
}

void histogram::merge(const histogram& other) {
  for (std::size_t i = 0; i < bucket_count; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

void histogram::clear() {
  counts_.fill(0);
  count_ = 0;
  max_ = 0;
}

}  // namespace omnicart::load
