#include "tests/sim/timeline.hpp"

#include <algorithm>
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
  // Whoever stood still may find that its moment has passed.
  const auto at = now_ + std::max(delay, duration_ms{0});
  events_.emplace(std::pair{at, random_()}, event{whose, std::move(what)});
}

bool timeline::step(duration_ms until) {
  decltype(events_)::node_type next;
  for (;;) {
    if (events_.empty() || events_.begin()->first.first > until) {
      now_ = std::max(now_, until);
      return false;
    }
    next = events_.extract(events_.begin());
    now_ = next.key().first;
    const auto held = held_.find(next.mapped().whose);
    if (held == held_.end()) break;
    held->second.waiting.push_back(std::move(next.mapped().what));
  }
  ++steps_;
  const std::uint64_t mark[] = {static_cast<std::uint64_t>(now_.count()), next.key().second};
  XXH3_64bits_update(hash_.get(), mark, sizeof(mark));
  next.mapped().what();
  return true;
}

void timeline::forget(owner whose) {
  std::erase_if(events_, [whose](const auto& at) { return at.second.whose == whose; });
  held_.erase(whose);
}

std::uint64_t timeline::hold(owner whose) {
  held_[whose].number = ++standstills_;
  return standstills_;
}

bool timeline::release(owner whose, std::uint64_t number) {
  const auto held = held_.find(whose);
  if (held == held_.end() || held->second.number != number) return false;
  auto waiting = std::move(held->second.waiting);
  held_.erase(held);
  const std::pair key{now_, random_()};  // equal ones stay in their order
  for (auto& each : waiting) events_.emplace(key, event{whose, std::move(each)});
  return true;
}

void timeline::note(std::string_view line) {
  XXH3_64bits_update(hash_.get(), line.data(), line.size());
  if (reader_) reader_(line);
}

std::uint64_t timeline::hash() const { return XXH3_64bits_digest(hash_.get()); }

}  // namespace omnicart::sim
