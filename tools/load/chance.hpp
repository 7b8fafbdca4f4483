#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace omnicart::load {

// Draws that are the same on every machine for the same seed (the standard's distributions are
// not).
class chance {
 public:
  explicit chance(std::uint64_t seed) : engine_(seed) {}

  // In [0, 1), 53 bits.
  double fraction() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  // In [0, count); count > 0.
  std::size_t below(std::size_t count) {
    return static_cast<std::size_t>(fraction() * static_cast<double>(count));
  }
  bool percent(double chance_percent) { return fraction() * 100.0 < chance_percent; }
  // Exponential with this mean, cut at five times the mean so that no visitor sleeps for ever.
  std::int64_t exponential(std::int64_t mean);

 private:
  std::mt19937_64 engine_;
};

// Zipf's law over ranks 0..count-1: rank k is drawn with weight 1/(k+1)^exponent. A table of 8
// bytes a rank.
class zipf {
 public:
  zipf(std::size_t count, double exponent);
  std::size_t draw(chance& from) const;

 private:
  std::vector<double> cumulative_;  // the last is 1
};

}  // namespace omnicart::load
