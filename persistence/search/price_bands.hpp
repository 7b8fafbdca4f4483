#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace omnicart::search {

// Prices from `min_minor` to `max_minor` (nothing: no end), both included.
struct price_band {
  std::int64_t min_minor = 0;
  std::optional<std::int64_t> max_minor;
  std::uint64_t count = 0;
  friend bool operator==(const price_band&, const price_band&) = default;
};

// Steps of prices in minor units: 0, then 1, 1.5, 2, 3, 5, 7 times each power of ten.
inline constexpr std::size_t price_steps = 114;
// Which step a price is in; below 0 counts as 0.
std::size_t price_step_of(std::int64_t price_minor);

// Counts things by the steps of their prices, and says it in a few bands of about as many things
// each. Memory does not grow with things of one price.
class price_counter {
 public:
  using steps = std::bitset<price_steps>;

  void add(std::int64_t price_minor) { ++single_[price_step_of(price_minor)]; }
  // Several that are shown as one: it counts once in each band that one of its prices is in.
  void add(const steps& of) { several_.push_back(of); }
  // At most 6, from the lowest on, one behind the other without a gap. All prices that were added
  // are within `min_minor` and `max_minor`, and so are the bands.
  std::vector<price_band> bands(std::optional<std::int64_t> min_minor,
                                std::optional<std::int64_t> max_minor) const;

 private:
  std::uint64_t count(std::size_t first, std::size_t last) const;

  std::array<std::uint64_t, price_steps> single_{};
  std::vector<steps> several_;
};

}  // namespace omnicart::search
