#include <algorithm>
#include <utility>

#include "cluster/journal_round.hpp"
#include "cluster/replicated_journal.hpp"
#include "persistence/key_layout.hpp"

// A node's part in a cut over all shards (cluster/backup/cut_coordinator.hpp). Everything that
// leaves an entity (answers, effects, rows of projections) waits until it is in its shard's log; so
// while nothing is put behind the markers, nothing behind them can be the cause of anything.
namespace omnicart::cluster {

void replicated_journal::obey(cut_order order, cut_done_fn done) {
  bool is_taken = false;
  {
    const std::lock_guard lock(inbox_guard_);
    is_taken = !closed_;
    if (is_taken) cuts_asked_.emplace_back(order, std::move(done));
  }
  if (is_taken) return ring();
  if (done) done(nothing_held(order));
}

// At the start of a round, before its write: an order that waited for a disk would make the pause
// of all others longer. Where a marker stands is known as soon as it is in the leader's log; should
// it be lost, no replica ever reaches it there.
void replicated_journal::take_cut_orders(round& now) {
  if (pause_ && (stopping_ || monotonic() >= pause_->until)) pause_.reset();
  std::vector<std::pair<cut_order, cut_done_fn>> asked;
  {
    const std::lock_guard lock(inbox_guard_);
    asked.swap(cuts_asked_);
  }
  for (auto& [order, done] : asked) {
    auto report = carry_out(order, now);
    if (done) done(std::move(report));
  }
}

cut_report replicated_journal::carry_out(const cut_order& order, round& now) {
  cut_report report = nothing_held(order);
  if (order.step == cut_step::mark) {
    if (pause_ || stopping_) return report;  // no cut makes another's longer
    pause_ = cut_pause{
        .cut = order.cut, .until = monotonic() + order.at_most, .began_us = now_us(), .marks = {}};
    mark_shards(now);
    report.held = true;
    report.marks = pause_->marks;
  } else if (order.step == cut_step::resume && pause_ && pause_->cut == order.cut) {
    const auto& marks = pause_->marks;
    report.held = monotonic() < pause_->until &&
                  std::all_of(marks.begin(), marks.end(),
                              [this](const auto& mark) { return still_leads(mark); });
    report.paused_us = now_us() - pause_->began_us;
    pause_.reset();
  }
  return report;
}

// A shard that is being handed over, or is led in a term that others do not know of yet, goes
// without: the cut is tried again.
void replicated_journal::mark_shards(round& now) {
  for (auto& r : replicas_) {
    if (r.published_term == 0 || r.published_term != r.group->term() || r.group->handing_over())
      continue;
    raise_time(r.shard, clock_.wall());
    persistence::log_entry entry;
    entry.term = r.group->term();
    entry.time = timestamp_ms{duration_ms{shards_[r.shard].time_ms.load()}};
    entry.change = mark_text(pause_->cut);
    auto update = r.group->submit(monotonic(), {encode(entry)});
    if (!update) continue;
    pause_->marks.push_back(
        {.shard = r.shard, .index = update->entries.front().index, .term = entry.term});
    note(r, std::move(*update), now);
  }
  now.has_marked = true;
}

bool replicated_journal::still_leads(const shard_mark& mark) {
  const auto& r = replicas_[mark.shard];
  return r.published_term == mark.term && (r.alone || r.group->may_read(monotonic(), r.applied));
}

void replicated_journal::note_mark(const persistence::committed_entry& applied, round& now) {
  const auto& entry = applied.entry;
  if (entry.what != persistence::entry_kind::items || entry.change.empty()) return;
  const auto cut = cut_of_mark(entry.change);
  if (cut == 0) return;
  now.marks.push_back({.cut = cut,
                       .at = {.shard = applied.shard, .index = applied.index, .term = entry.term},
                       .time = entry.time});
}

void replicated_journal::tell_marks(round& now) {
  for (const auto& mark : std::exchange(now.marks, {})) {
    const auto& r = replicas_[mark.at.shard];
    const bool is_exact = !r.copy_noted && r.content_through == mark.at.index;
    if (is_exact && options_.marked) options_.marked(mark);
  }
}

}  // namespace omnicart::cluster
