#include "persistence/search/price_bands.hpp"

#include <algorithm>
#include <bit>

namespace omnicart::search {
namespace {

constexpr std::size_t bands_max = 6;

constexpr std::array<std::int64_t, price_steps> make_edges() {
  std::array<std::int64_t, price_steps> edges{};
  std::size_t at = 1;
  for (std::int64_t ten = 1;; ten *= 10) {
    for (const int tenths : {10, 15, 20, 30, 50, 70}) {
      if (ten == 1 && tenths == 15) continue;  // no whole number
      edges[at++] = ten / 10 * tenths + ten % 10 * tenths / 10;
    }
    if (at == price_steps) return edges;
  }
}

// The lowest price of each step.
constexpr auto edges = make_edges();
static_assert(edges[1] == 1 && edges[6] == 10 && edges[7] == 15 &&
              edges.back() == 7'000'000'000'000'000'000);

// By the bits that a price needs: the step that the lowest such price is in.
constexpr std::array<std::uint8_t, 65> make_starts() {
  std::array<std::uint8_t, 65> starts{};
  for (std::size_t bits = 1; bits < 64; ++bits) {
    const auto lowest = std::int64_t{1} << (bits - 1);
    std::uint8_t at = 0;
    while (at + 1u < price_steps && edges[at + 1u] <= lowest) ++at;
    starts[bits] = at;
  }
  return starts;
}

constexpr auto starts = make_starts();

}  // namespace

std::size_t price_step_of(std::int64_t price_minor) {
  if (price_minor <= 0) return 0;
  std::size_t at = starts[static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(price_minor)))];
  while (at + 1 < price_steps && edges[at + 1] <= price_minor) ++at;
  return at;
}

std::uint64_t price_counter::count(std::size_t first, std::size_t last) const {
  std::uint64_t sum = 0;
  steps wanted;
  for (std::size_t at = first; at <= last; ++at) {
    sum += single_[at];
    wanted.set(at);
  }
  const auto there = std::count_if(several_.begin(), several_.end(),
                                   [&](const steps& each) { return (each & wanted).any(); });
  return sum + static_cast<std::uint64_t>(there);
}

std::vector<price_band> price_counter::bands(std::optional<std::int64_t> min_minor,
                                             std::optional<std::int64_t> max_minor) const {
  auto things = single_;
  for (const auto& each : several_) {
    for (std::size_t at = 0; at < price_steps; ++at) things[at] += each[at] ? 1 : 0;
  }
  std::uint64_t all = 0, seen = 0, share = 1;  // the share that is being filled
  for (const auto here : things) all += here;
  std::vector<price_band> bands;
  if (all == 0) return bands;
  std::size_t first = 0;
  std::int64_t from = std::max<std::int64_t>(min_minor.value_or(0), 0);
  for (std::size_t at = 0; seen < all; ++at) {
    seen += things[at];
    const bool is_last = seen == all;
    if (!is_last && seen * bands_max < all * share) continue;
    bands.push_back({from, is_last ? max_minor : edges[at + 1] - 1, count(first, at)});
    if (is_last) break;
    first = at + 1;
    from = edges[first];
    share = seen * bands_max / all + 1;
  }
  return bands;
}

}  // namespace omnicart::search
