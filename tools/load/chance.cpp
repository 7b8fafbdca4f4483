#include "tools/load/chance.hpp"

#include <algorithm>
#include <cmath>

namespace omnicart::load {

std::int64_t chance::exponential(std::int64_t mean) {
  const double drawn = -std::log1p(-fraction()) * static_cast<double>(mean);
  return std::min(static_cast<std::int64_t>(drawn), 5 * mean);
}

zipf::zipf(std::size_t count, double exponent) {
  cumulative_.reserve(count);
  double sum = 0;
  for (std::size_t k = 1; k <= count; ++k) {
    sum += std::pow(static_cast<double>(k), -exponent);
    cumulative_.push_back(sum);
  }
  for (double& value : cumulative_) value /= sum;
}

std::size_t zipf::draw(chance& from) const {
  const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end(), from.fraction());
  return std::min<std::size_t>(static_cast<std::size_t>(at - cumulative_.begin()),
                               cumulative_.size() - 1);
}

}  // namespace omnicart::load
