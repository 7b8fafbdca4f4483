#include "cluster/remote/current_lists.hpp"

#include <algorithm>
#include <utility>

namespace omnicart::cluster {

bool current_lists::leads_all() const {
  for (std::uint16_t shard = 0; shard < with_.shard_count; ++shard) {
    if (!with_.may_read(shard)) return false;
  }
  return true;
}

void current_lists::query(std::string_view projection, std::function<void(projection_rows&)> run,
                          std::function<void(error)> refused) {
  if (leads_all()) return with_.rows.query(projection, std::move(run), std::move(refused));
  const auto now = with_.time.monotonic();
  {
    const std::lock_guard lock(guard_);
    if (waiting_.size() < waiting_max) {
      waiting_.push_back({std::string(projection), std::move(run), std::move(refused), 0, now + patience});
      if (!under_way_) begin_round(now);
      return;
    }
  }
  refused(make_error(base_errc::overloaded, "too many list requests at once"));
}

// With the lock held. All that wait for a round get this one.
void current_lists::begin_round(duration_ms now) {
  ++request_;
  under_way_ = true;
  asked_at_ = now;
  wanted_.clear();
  for (auto& each : waiting_) {
    if (each.request == 0) each.request = request_;
  }
  with_.ask(request_);
}

void current_lists::told(const positions_told& positions) {
  const std::lock_guard lock(guard_);
  if (!under_way_ || positions.request != request_) return;
  for (const auto& [shard, index] : positions.led) {
    if (shard >= with_.shard_count) continue;
    auto& wanted = wanted_[shard];
    wanted = std::max(wanted, index);
  }
}

// Every shard's leader was heard; what this node leads itself it knows.
bool current_lists::is_answered() const {
  for (std::uint16_t shard = 0; shard < with_.shard_count; ++shard) {
    if (!wanted_.contains(shard) && !with_.may_read(shard)) return false;
  }
  return true;
}

bool current_lists::is_here() const {
  return std::all_of(wanted_.begin(), wanted_.end(),
                     [this](const auto& each) { return with_.applied(each.first) >= each.second; });
}

void current_lists::tick() {
  const auto now = with_.time.monotonic();
  std::vector<waiting> ready, late;
  {
    const std::lock_guard lock(guard_);
    if (under_way_ && is_answered() && is_here()) {
      under_way_ = false;
      const auto served = std::stable_partition(waiting_.begin(), waiting_.end(),
                                                [this](const auto& each) { return each.request != request_; });
      std::move(served, waiting_.end(), std::back_inserter(ready));
      waiting_.erase(served, waiting_.end());
    }
    const auto over = std::stable_partition(waiting_.begin(), waiting_.end(),
                                            [now](const auto& each) { return each.until > now; });
    std::move(over, waiting_.end(), std::back_inserter(late));
    waiting_.erase(over, waiting_.end());
    if (waiting_.empty()) {
      under_way_ = false;
    } else if (!under_way_) {
      begin_round(now);
    } else if (now - asked_at_ >= ask_again && !is_answered()) {
      asked_at_ = now;
      with_.ask(request_);
    }
  }
  for (auto& each : ready) with_.rows.query(each.projection, std::move(each.run), std::move(each.refused));
  for (auto& each : late) {
    each.refused(make_error(base_errc::unavailable, "a part of the shop cannot be reached; try again"));
  }
}

}  // namespace omnicart::cluster
