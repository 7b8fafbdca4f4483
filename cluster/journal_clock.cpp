#include <algorithm>

#include "cluster/journal_round.hpp"
#include "cluster/raft/membership.hpp"
#include "cluster/replicated_journal.hpp"

// When the shards' groups look at the clock, and what a leader without content does.
namespace omnicart::cluster {
namespace {

// Election timeouts without a leader after which a replica without content stands all the same.
constexpr int patience_without_content = 3;

}  // namespace

// When the group is to look at the clock. A replica without content leaves it to others to stand, but not for ever: it may
// have entries that are committed and that none of those who are left has. It leads until one with content has them too.
raft::monotonic_time replicated_journal::clock_due(const replica& r) const {
  if (!r.needs_clock || r.stopped) return raft::monotonic_time::max();
  const auto due = r.group->next_timeout();
  if (r.can_lead() || r.group->current_state() != raft::state::follower) return due;
  const auto patience = patience_without_content * options_.election_timeout;
  return due + std::min(patience, raft::monotonic_time::max() - due);
}

raft::monotonic_time replicated_journal::until_next_timeout() const {
  auto next = pause_ ? pause_->until : raft::monotonic_time::max();
  for (const auto& r : replicas_) {
    next = std::min(next, clock_due(r));
    if (r.content_void && !r.copy_runs) next = std::min(next, std::max(r.copy_at, monotonic() + options_.heartbeat));
  }
  if (next == raft::monotonic_time::max()) return next;
  return std::max(next - monotonic(), raft::monotonic_time{1});
}

void replicated_journal::take_timeouts(round& now) {
  const auto time = monotonic();
  for (auto& r : replicas_) {
    if (clock_due(r) > time) continue;
    note(r, r.group->timeout(time), now);
    if (!r.can_lead() && r.group->current_state() == raft::state::leader) hand_on(r, now);
  }
}

// To each of the other voters in turn: nobody knows which of them has content, and can be reached.
void replicated_journal::hand_on(replica& r, round& now) {
  auto voters = raft::voters_of(r.group->members());
  std::erase(voters, options_.self);
  if (voters.empty() || r.stopped || r.group->handing_over()) return;
  auto update = r.group->transfer(monotonic(), voters[r.handed_on++ % voters.size()]);
  if (update) note(r, std::move(*update), now);
}

}  // namespace omnicart::cluster
