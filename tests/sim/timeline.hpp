#pragma once

#include <xxhash.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string_view>
#include <utility>

#include "runtime/clock.hpp"
#include "runtime/placement.hpp"

namespace omnicart::sim {

// Virtual time, and what happens in it, in one thread. Things that happen in the same millisecond
// happen in an order drawn from the seed; the same seed gives the same story, which `hash` proves.
class timeline final : public clock {
 public:
  explicit timeline(std::uint64_t seed);
  ~timeline() override;

  // Whose memory an event lives in: those of a node are gone when it crashes. `node` is the first
  // one, and the only one where there are no others.
  enum class owner : std::uint8_t { world, node };
  static owner owner_of(node_id node) { return static_cast<owner>(node); }
  void after(duration_ms delay, owner whose, std::function<void()> what);
  // Runs what comes next; false when nothing is to come before `until` (then time stands there).
  bool step(duration_ms until);
  void forget(owner whose);

  // The owner stands still, as a process does after SIGSTOP: what it would do waits, while time and
  // everybody else go on. Returns the number of this standstill; forget() ends it.
  std::uint64_t hold(owner whose);
  // It goes on: what has waited happens now, in its order. False: that standstill is over already.
  bool release(owner whose, std::uint64_t number);
  bool stands_still(owner whose) const { return held_.contains(whose); }
  // Somebody else has something for the owner: now, or when it goes on.
  template <class What>
  void reach(owner whose, What what) {
    if (held_.empty() || !stands_still(whose)) return what();
    held_[whose].waiting.emplace_back(std::move(what));
  }

  std::size_t waiting() const { return events_.size(); }

  timestamp_ms wall() const override { return timestamp_ms{now_ + wall_offset_}; }
  duration_ms monotonic() const override { return now_; }
  // The wall clock jumps (back too), as clocks do at a restart.
  void shift_wall(duration_ms by) { wall_offset_ += by; }

  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }
  std::int64_t between(std::int64_t low, std::int64_t high);
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  // A line of the story: hashed, and printed when somebody reads along.
  void note(std::string_view line);
  std::uint64_t hash() const;
  std::uint64_t steps() const { return steps_; }
  void read_along(std::function<void(std::string_view)> reader) { reader_ = std::move(reader); }
  bool is_read() const { return static_cast<bool>(reader_); }

 private:
  struct event {
    owner whose;
    std::function<void()> what;
  };
  struct standstill {
    std::uint64_t number = 0;
    std::deque<std::function<void()>> waiting;
  };
  struct hash_free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };

  std::mt19937_64 random_;
  duration_ms now_{0};
  duration_ms wall_offset_{1'700'000'000'000};
  std::multimap<std::pair<duration_ms, std::uint64_t>, event> events_;  // by time and lot
  std::map<owner, standstill> held_;
  std::uint64_t standstills_ = 0;
  std::unique_ptr<XXH3_state_t, hash_free> hash_;
  std::uint64_t steps_ = 0;
  std::function<void(std::string_view)> reader_;
};

}  // namespace omnicart::sim
