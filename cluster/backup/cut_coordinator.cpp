#include "cluster/backup/cut_coordinator.hpp"

#include <algorithm>
#include <utility>

#include "runtime/log.hpp"

namespace omnicart::cluster {
namespace {

std::string name_of(node_id node) { return "node " + std::to_string(node); }
std::string name_of(std::uint16_t shard) { return "shard " + std::to_string(shard); }

}  // namespace

cut_coordinator::cut_coordinator(parts with, std::uint16_t shard_count)
    : with_(std::move(with)), shard_count_(shard_count) {}

void cut_coordinator::start() {
  tries_ = 0;
  outcome_.reset();
  begin_try();
}

void cut_coordinator::begin_try() {
  ++tries_;
  cut_ = with_.draw();
  nodes_ = with_.nodes();
  marks_.clear();
  reached_.clear();
  paused_us_ = 0;
  until_ = with_.time.monotonic() + begins_within;
  with_.follow(cut_);
  now_ = phase::marking;
  order(cut_step::mark);
}

void cut_coordinator::order(cut_step step) {
  answered_.clear();
  for (const auto node : nodes_)
    with_.send(node, {.cut = cut_, .step = step, .at_most = pause_max});
}

void cut_coordinator::reported(node_id from, const cut_report& report) {
  const auto expected = now_ == phase::marking ? cut_step::mark : cut_step::resume;
  const bool asks = now_ == phase::marking || now_ == phase::resuming;
  const bool is_ours = std::find(nodes_.begin(), nodes_.end(), from) != nodes_.end();
  if (!asks || report.cut != cut_ || report.step != expected || !is_ours) return;
  if (!answered_.insert(from).second) return;
  if (!report.held) {
    const bool is_mark = report.step == cut_step::mark;
    return give_up_try(name_of(from) +
                       (is_mark
                            ? " takes part in another backup, or stops"
                            : " went on, or led its shards no more, before it was told to go on"));
  }
  if (now_ == phase::marking && answered_.size() == 1)
    until_ = with_.time.monotonic() + marked_within;
  paused_us_ = std::max(paused_us_, report.paused_us);
  if (report.step == cut_step::mark) take_marks(from, report.marks);
  if (now_ != phase::waiting && now_ != phase::idle && answered_.size() == nodes_.size())
    all_answered();
}

void cut_coordinator::take_marks(node_id from, const std::vector<shard_mark>& marks) {
  for (const auto& mark : marks) {
    if (mark.shard >= shard_count_) continue;  // the cluster's own record has no part in a backup
    if (!marks_.emplace(mark.shard, mark).second) {
      return give_up_try(name_of(mark.shard) + " was marked by two nodes, " + name_of(from) +
                         " one of them");
    }
  }
}

void cut_coordinator::all_answered() {
  if (now_ == phase::marking) {
    for (std::uint16_t shard = 0; shard < shard_count_; ++shard) {
      if (!marks_.contains(shard))
        return give_up_try(name_of(shard) + " is led by nobody that can be reached");
    }
    now_ = phase::resuming;
    until_ = with_.time.monotonic() + resumed_within;
    return order(cut_step::resume);
  }
  now_ = phase::following;
  until_ = with_.time.monotonic() + applied_within;
  finish_if_reached();
}

void cut_coordinator::reached(const marked_shard& shard) {
  if (now_ == phase::idle || now_ == phase::waiting || shard.cut != cut_ ||
      shard.at.shard >= shard_count_)
    return;
  reached_[shard.at.shard] = shard;
  if (now_ == phase::following) finish_if_reached();
}

void cut_coordinator::finish_if_reached() {
  consistent_cut made{.cut = cut_,
                      .shards = {},
                      .paused = duration_ms{(paused_us_ + 999) / 1'000},
                      .tries = tries_};
  for (const auto& [shard, at] : reached_) {
    // A marker of a leader that others had left behind may have been in a log, and gone again.
    if (at.at != marks_.at(shard))
      return give_up_try("the mark of " + name_of(shard) + " was replaced by another");
    made.shards.push_back(at);
  }
  if (made.shards.size() == shard_count_) end(std::move(made));
}

void cut_coordinator::tick() {
  if (now_ == phase::idle || with_.time.monotonic() < until_) return;
  switch (now_) {
    case phase::idle:
      return;
    case phase::waiting:
      return begin_try();
    case phase::following: {
      std::uint16_t missing = 0;
      while (reached_.contains(missing)) ++missing;
      return give_up_try("the mark of " + name_of(missing) +
                         " did not come to this node, or was lost with its leader");
    }
    case phase::marking:
    case phase::resuming:
      return give_up_try(silent_nodes() + " did not answer in time");
  }
}

std::string cut_coordinator::silent_nodes() const {
  std::string names;
  for (const auto node : nodes_) {
    if (!answered_.contains(node)) names += (names.empty() ? "" : " and ") + name_of(node);
  }
  return names;
}

void cut_coordinator::give_up_try(const std::string& why) {
  log::info("a try of a cut is void", {{"try", tries_}, {"why", why}});
  // Whoever is paused still need not wait for the end of its time.
  if (now_ != phase::following) order(cut_step::resume);
  with_.follow(0);
  if (tries_ >= tries_max) {
    return end(fail(base_errc::unavailable, "no consistent cut in " + std::to_string(tries_) +
                                                " tries; the last time " + why));
  }
  now_ = phase::waiting;
  const auto middle = again_after * tries_;
  const duration_ms by_chance{
      static_cast<std::int64_t>(cut_ % static_cast<cut_id>(middle.count()))};
  until_ = with_.time.monotonic() + middle / 2 + by_chance;
}

void cut_coordinator::stop() {
  if (now_ == phase::idle) return;
  if (now_ != phase::waiting && now_ != phase::following) order(cut_step::resume);
  with_.follow(0);
  end(fail(base_errc::shutting_down));
}

void cut_coordinator::end(result<consistent_cut> how) {
  now_ = phase::idle;
  outcome_ = std::move(how);
}

std::optional<result<consistent_cut>> cut_coordinator::outcome() {
  return std::exchange(outcome_, std::nullopt);
}

}  // namespace omnicart::cluster
