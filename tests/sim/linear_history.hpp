#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
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

// The same question while the story goes on: whenever nobody waits for an answer, the calls since
// the last such moment are explained from every state that the earlier ones may have led to. Calls
// of unknown outcome may take effect in any later stretch. One that found no explanation stays
// broken; one that became too large (64 calls of a stretch, or of unknown outcome) undecided.
template <class Model, class Operation>
class linear_stretches {
 public:
  using state = typename Model::state;

  explicit linear_stretches(std::uint64_t tries_max) : tries_max_(tries_max) {
    ends_.emplace("", end{});
  }

  // The calls since the last time, each answered or given up.
  verdict add(const std::vector<observed_call<Operation>>& calls) {
    if (verdict_ != verdict::linearizable) return verdict_;
    known_.clear();
    for (const auto& each : calls) (each.answered_at ? known_ : unknown_).push_back(each);
    if (known_.size() > 64 || unknown_.size() > 64) return verdict_ = verdict::undecided;
    tries_left_ = tries_max_;
    tried_.clear();
    const auto begins = std::exchange(ends_, {});
    for (const auto& [key, begin] : begins) search(0, begin);
    if (tries_left_ == 0) return verdict_ = verdict::undecided;
    return verdict_ = ends_.empty() ? verdict::broken : verdict::linearizable;
  }

 private:
  // What may be there, and which calls of unknown outcome were done for it.
  struct end {
    state now;
    std::uint64_t done = 0;
  };

  static std::uint64_t bit(std::size_t i) { return std::uint64_t{1} << i; }

  void search(std::uint64_t done, const end& from) {
    if (tries_left_ == 0) return;
    --tries_left_;
    const auto before = Model::key(from.now);
    const auto key = std::to_string(from.done) + ' ' + before;
    if (!tried_.insert(std::to_string(done) + ' ' + key).second) return;
    std::uint64_t horizon = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t i = 0; i < known_.size(); ++i) {
      if (!(done & bit(i))) horizon = std::min(horizon, *known_[i].answered_at);
    }
    if (horizon == std::numeric_limits<std::uint64_t>::max()) {  // all of them are done
      ends_.emplace(key, from);
      return;
    }
    for (std::size_t i = 0; i < known_.size(); ++i) {
      if ((done & bit(i)) || known_[i].asked_at > horizon) continue;
      if (auto next = Model::next(from.now, known_[i].what, true))
        search(done | bit(i), {std::move(*next), from.done});
    }
    for (std::size_t i = 0; i < unknown_.size(); ++i) {
      if ((from.done & bit(i)) || unknown_[i].asked_at > horizon) continue;
      auto next = Model::next(from.now, unknown_[i].what, false);
      if (next && Model::key(*next) != before) search(done, {std::move(*next), from.done | bit(i)});
    }
  }

  const std::uint64_t tries_max_;
  std::vector<observed_call<Operation>> known_;    // of the stretch
  std::vector<observed_call<Operation>> unknown_;  // of all stretches
  std::map<std::string, end> ends_;                // of the last stretch
  std::uint64_t tries_left_ = 0;
  std::unordered_set<std::string> tried_;
  verdict verdict_ = verdict::linearizable;
};

}  // namespace omnicart::sim
