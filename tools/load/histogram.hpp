#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace omnicart::load {

// Counts values in log-linear buckets, as HdrHistogram does: exact below 256, above that 128
// buckets for every doubling, so a percentile is at most 0.8 % above the true value. 59 KB whatever
// is recorded. The unit is the caller's (microseconds here). One thread.
class histogram {
 public:
  void record(std::uint64_t value) {
    ++counts_[index_of(value)];
    ++count_;
    if (value > max_) max_ = value;
  }
  void merge(const histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  // The smallest recorded value, up to the bucket's width, that `percent` of all values do not
  // exceed (nearest rank). 0 when empty; never above max().
  std::uint64_t percentile(double percent) const;

 private:
  static constexpr int exact_bits = 8;
  static constexpr std::size_t exact_count = std::size_t{1} << exact_bits;
  static constexpr std::size_t half_count = exact_count / 2;
  static constexpr std::size_t bucket_count = exact_count + (64 - exact_bits) * half_count;

  static std::size_t index_of(std::uint64_t value) {
    if (value < exact_count) return static_cast<std::size_t>(value);
    const int shift = std::bit_width(value) - exact_bits;
    return exact_count + static_cast<std::size_t>(shift - 1) * half_count +
           (static_cast<std::size_t>(value >> shift) - half_count);
  }
  static std::uint64_t highest_of(std::size_t index);

  std::array<std::uint64_t, bucket_count> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace omnicart::load
