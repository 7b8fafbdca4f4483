#include <algorithm>
#include <utility>

#include "cluster/backup/cut_messages.hpp"
#include "cluster/journal_round.hpp"
#include "cluster/replicated_journal.hpp"
#include "persistence/timer_index.hpp"
#include "runtime/crash_point.hpp"
#include "runtime/log.hpp"

// The end of a round: who hears of it.
namespace omnicart::cluster {
namespace {

// A fence is a term, and above it the number of times that entities were let go without a change of
// leaders. A term of more digits would take an election each millisecond for 30 years.
constexpr unsigned fence_term_bits = 40;

void tell_unknown(persistence::queued_item& item) {
  if (item.done)
    item.done(
        fail(base_errc::unknown_outcome, "it was not known to be written when the node ended"));
}

}  // namespace

// Tells the other threads who leads, and those who wait for a leader that is none any more.
void replicated_journal::publish(round& now) {
  const auto time = monotonic();
  for (const auto shard : now.touched) {
    auto& r = replicas_[shard];
    const auto& group = *r.group;
    const bool leading = group.current_state() == raft::state::leader;
    if (!r.proposals.empty() && (!leading || r.proposals.front().entry.term != group.term())) {
      abandon(r, now);
    }
    const auto from = r.refused_in == group.term()
                          ? std::max(r.refused_behind, group.barrier_index())
                          : group.barrier_index();
    const bool ready = leading && group.barrier_index() != 0 && r.applied >= from;
    auto& seen = shards_[shard];
    seen.applied = r.applied;
    if (seen.leader.exchange(group.leader()) != group.leader() && group.leader() != no_node && options_.led_by) {
      options_.led_by(shard, group.leader());
    }
    const auto lease =
        r.alone ? std::optional(raft::monotonic_time::max()) : group.lease_expires_at(time);
    seen.lease_until_ms = ready && lease ? lease->count() : 0;
    publish_term(r, ready ? group.term() : 0);
    r.has_refused = false;
    if (!r.controls.empty()) settle_controls(r, now);
  }
  waiting_bytes_.store(proposed_bytes_ + held_bytes_, std::memory_order_relaxed);
  const std::lock_guard lock(views_guard_);
  for (const auto shard : now.touched) publish_view(replicas_[shard]);
}

void replicated_journal::publish_term(replica& r, raft::term_number term) {
  const auto fence = term == 0 ? 0 : term | r.refusals << fence_term_bits;
  if (fence == r.fence) return;
  const bool led_before = std::exchange(r.fence, fence) != 0;
  r.published_term = term;
  // Nobody is sent here while what is in memory from before is let go: neither before nor after.
  auto& seen = shards_[r.shard];
  seen.term.store(0, std::memory_order_release);
  seen.fence.store(0, std::memory_order_release);
  if (options_.leadership && led_before) options_.leadership(r.shard, 0);
  if (term == 0) return;
  if (options_.leadership) options_.leadership(r.shard, term);
  seen.fence.store(fence, std::memory_order_release);
  seen.term.store(term, std::memory_order_release);
}

// Whoever decided these goes on as if they stood in the log. A node that leads no more lets go of
// its entities anyway; one that leads has to do the same (publish()), for what they decide next
// would follow nothing.
void replicated_journal::refuse(replica& r, std::vector<persistence::queued_item> items,
                                const error& why, round& now) {
  for (auto& item : items)
    now.refused.emplace_back(std::move(item), not_the_leader(leader(r.shard)));
  if (r.group->current_state() != raft::state::leader || std::exchange(r.has_refused, true)) return;
  log::error("the log did not take an entry: the shard's entities begin anew",
             {{"shard", r.shard}, {"why", why.detail}});
  ++r.refusals;
  r.refused_in = r.group->term();
  r.refused_behind = r.group->last_index();
}

void replicated_journal::abandon(replica& r, round& now) {
  for (auto& lost : r.proposals) {
    proposed_bytes_ -= lost.bytes;
    for (auto& item : lost.items) {
      now.refused.emplace_back(
          std::move(item), make_error(base_errc::unknown_outcome, "another node took the lead"));
    }
  }
  r.proposals.clear();
}

void replicated_journal::tell(round& now) {
  // Each shard's came in order; callers get the order of their calls over all of them, as far as
  // one round goes.
  std::sort(now.finished.begin(), now.finished.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  for (const auto& item : now.finished) {
    shards_[item.shard].durable.store(item.number, std::memory_order_release);
  }
  for (const auto& [shard, index, entry] : now.log.entries) {
    for (const auto& item : entry.items) {
      if (item.timer)
        timers_.changed(shard, {item.kind, item.id}, item.timer->before, item.timer->after);
    }
  }
  OMNICART_CRASH_POINT("before_done");
  for (auto& item : now.finished) {
    if (item.done) item.done({});
  }
  for (auto& [item, why] : now.refused) {
    if (item.done) item.done(fail(why));
  }
  for (auto& [done, end] : now.answered) {
    if (done) done(std::move(end));
  }
  OMNICART_CRASH_POINT("after_done");
}

void replicated_journal::fail_all(round& now, const std::string& why) {
  failed_ = true;
  std::for_each(now.finished.begin(), now.finished.end(), tell_unknown);
  for (auto& [item, reason] : now.refused) {
    if (item.done) item.done(fail(reason));
  }
  for (auto& [done, end] : now.answered) {
    if (done) done(std::move(end));
  }
  give_up();
  for (auto rest = queue_.take(options_.batch_items_max, options_.batch_bytes_max); !rest.empty();
       rest = queue_.take(options_.batch_items_max, options_.batch_bytes_max)) {
    std::for_each(rest.begin(), rest.end(), tell_unknown);
  }
  options_.fatal(why);
}

// Nobody will hear the end of what is under way.
void replicated_journal::give_up() {
  const auto answer = [](control_request& asked) {
    if (asked.done) asked.done(fail(base_errc::unknown_outcome, "the node ends"));
  };
  for (auto& r : replicas_) {
    for (auto& lost : r.proposals)
      std::for_each(lost.items.begin(), lost.items.end(), tell_unknown);
    r.proposals.clear();
    std::for_each(r.held.begin(), r.held.end(), tell_unknown);
    r.held.clear();
    for (auto& running : r.controls) answer(running.asked);
    r.controls.clear();
  }
  std::vector<control_request> asked;
  decltype(cuts_asked_) cuts;
  {
    const std::lock_guard lock(inbox_guard_);
    asked.swap(asked_);
    cuts.swap(cuts_asked_);
  }
  std::for_each(asked.begin(), asked.end(), answer);
  for (auto& [order, done] : cuts) {
    if (done) done(nothing_held(order));
  }
}

}  // namespace omnicart::cluster
