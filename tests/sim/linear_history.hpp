#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace omnicart::sim {

// What one client asked of one object, and when. Moments are any numbers that rise.
template <class Operation>
struct observed_call {
  Operation what;
  std::uint64_t asked_at = 0;
  std::optional<std::uint64_t> answered_at;  // nothing: its outcome is unknown
};

enum class verdict : std::uint8_t { linearizable, broken, undecided };

// Whether some order of the calls explains every answer: one in which each takes effect between
// question and answer, and each of unknown outcome at some moment after its question, or never.
// The search of Wing and Gong (1993) with the memory of Lowe (2017): a set of calls done, with the
// state they lead to, is tried once. `Model` has:
//
//   state                                                  what is there, from the beginning
//   static optional<state> next(const state&, const Operation&, bool known)
//                                                          nothing: the answer is another
//   static string key(const state&)                        equal for equal states
//
// At most 64 calls; `tries_max` bounds the time, beyond it the answer is `undecided`.
template <class Model, class Operation>
class linear_search {
 public:
  using state = typename Model::state;

  linear_search(const std::vector<observed_call<Operation>>& calls, std::uint64_t tries_max)
      : calls_(calls), tries_left_(tries_max) {
    for (std::size_t i = 0; i < std::min<std::size_t>(calls_.size(), 64); ++i) {
      if (calls_[i].answered_at) known_ |= bit(i);
    }
  }

  verdict run() {
    if (calls_.size() > 64) return verdict::undecided;
    const bool found = search(0, state{});
    if (found) return verdict::linearizable;
    return tries_left_ == 0 ? verdict::undecided : verdict::broken;
  }

 private:
  static std::uint64_t bit(std::size_t i) { return std::uint64_t{1} << i; }

  bool search(std::uint64_t done, const state& now) {
    if ((done & known_) == known_) return true;
    if (tries_left_ == 0) return false;
    --tries_left_;
    if (!tried_.insert(std::to_string(done) + ' ' + Model::key(now)).second) return false;
    // Whoever was asked after another was answered comes after it.
    std::uint64_t horizon = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (!(done & bit(i)) && calls_[i].answered_at)
        horizon = std::min(horizon, *calls_[i].answered_at);
    }
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if ((done & bit(i)) || calls_[i].asked_at > horizon) continue;
      const auto next = Model::next(now, calls_[i].what, calls_[i].answered_at.has_value());
      if (next && search(done | bit(i), *next)) return true;
    }
    return false;
  }

  const std::vector<observed_call<Operation>>& calls_;
  std::uint64_t tries_left_;
  std::uint64_t known_ = 0;
  std::unordered_set<std::string> tried_;
};

}  // namespace omnicart::sim
