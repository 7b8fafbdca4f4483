#include "tests/sim/timeline.hpp"

#include <iterator>
#include <string>

namespace omnicart::sim {

timeline::timeline(std::uint64_t seed) : random_(seed), hash_(XXH3_createState()) {
  XXH3_64bits_reset(hash_.get());
}

timeline::~timeline() = default;

std::int64_t timeline::between(std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
}

void timeline::after(duration_ms delay, owner whose, std::function<void()> what) {
  events_.emplace(std::pair{now_ + delay, random_()}, event{whose, std::move(what)});
}

bool timeline::step(duration_ms until) {
  if (events_.empty() || events_.begin()->first.first > until) {
    now_ = std::max(now_, until);
    return false;
  }
  auto next = events_.extract(events_.begin());
  now_ = next.key().first;
  ++steps_;
  const std::uint64_t mark[] = {static_cast<std::uint64_t>(now_.count()), next.key().second};
  XXH3_64bits_update(hash_.get(), mark, sizeof(mark));
  next.mapped().what();
  return true;
}

void timeline::forget(owner whose) {
  std::erase_if(events_, [whose](const auto& at) { return at.second.whose == whose; });
}

void timeline::note(std::string_view line) {
  XXH3_64bits_update(hash_.get(), line.data(), line.size());
  if (reader_) reader_(line);
}

std::uint64_t timeline::hash() const { return XXH3_64bits_digest(hash_.get()); }

}  // namespace omnicart::sim
