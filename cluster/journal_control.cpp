#include <algorithm>
#include <utility>

#include "cluster/journal_round.hpp"
#include "cluster/replicated_journal.hpp"
#include "runtime/base/assert.hpp"

// What operators ask of a shard's replicas, and what they are shown.
namespace omnicart::cluster {
namespace {

using kind = control_request::kind;

result<raft::update> begin(raft::raft_group& group, raft::monotonic_time now,
                           const control_request& asked) {
  switch (asked.what) {
    case kind::change_membership:
      return group.change_membership(now, asked.change);
    case kind::catch_up:
      return group.catch_up(now, asked.node);
    case kind::transfer:
      return group.transfer(now, asked.node);
    case kind::cut_log:
      break;
  }
  bug("a request of a known kind");
}

// libraft looks at a member's progress when its log grows, and so would wait in vain for one that
// has all of it.
bool has_all(const raft::raft_group& group, node_id node) {
  const auto* member = raft::find(group.members(), node);
  return group.serving() && member != nullptr && member->as != raft::role::voter &&
         group.match_index(node) == group.last_index();
}

// How a catch-up that runs in the leader's present term stands; nothing: it goes on.
std::optional<status> catch_up_end(const raft::raft_group& group, node_id node) {
  using state = raft::raft_group::catch_up_state;
  switch (group.catch_up_progress(node)) {
    case state::running:
      return std::nullopt;
    case state::done:
      return status{};
    case state::gave_up:
      return fail(base_errc::timeout, "the node does not keep up");
    case state::none:
      break;
  }
  // Whoever was made a voter meanwhile had the log.
  const auto* member = raft::find(group.members(), node);
  if (member != nullptr && member->as == raft::role::voter) return status{};
  return fail(base_errc::precondition_failed, "the node is no member any more");
}

std::optional<status> end_of(const running_control& running, const raft::raft_group& group) {
  const bool leads = group.current_state() == raft::state::leader && group.term() == running.term;
  switch (running.asked.what) {
    case kind::change_membership:
      // A leader that removed itself has committed that before it stepped down.
      if (leads && group.commit_index() >= running.index) return status{};
      if (leads) return std::nullopt;
      return fail(base_errc::unknown_outcome, "another node took the lead");
    case kind::catch_up:
      if (leads) return catch_up_end(group, running.asked.node);
      return fail(base_errc::unknown_outcome, "another node took the lead");
    case kind::transfer:
      if (!leads) return status{};
      if (group.handing_over()) return std::nullopt;
      return fail(base_errc::timeout, "the node did not take over");
    case kind::cut_log:
      break;
  }
  bug("a request of a known kind");
}

}  // namespace

void replicated_journal::change_membership(std::uint16_t shard, raft::membership_change change,
                                           done_fn done) {
  ask({.shard = shard, .what = kind::change_membership, .change = change, .done = std::move(done)});
}

void replicated_journal::catch_up(std::uint16_t shard, node_id node, done_fn done) {
  ask({.shard = shard, .what = kind::catch_up, .node = node, .done = std::move(done)});
}

void replicated_journal::transfer(std::uint16_t shard, node_id node, done_fn done) {
  ask({.shard = shard, .what = kind::transfer, .node = node, .done = std::move(done)});
}

void replicated_journal::cut_log(std::uint16_t shard, std::uint64_t through) {
  ask({.shard = shard, .what = kind::cut_log, .through = through});
}

void replicated_journal::ask(control_request asked) {
  ensure(asked.shard < replicas_.size(), "a request names a shard");
  {
    const std::lock_guard lock(inbox_guard_);
    if (!closed_) {
      asked_.push_back(std::move(asked));
      asked.done = nullptr;
    }
  }
  if (asked.done) return asked.done(fail(base_errc::shutting_down));
  ring();
}

void replicated_journal::take_controls(round& now) {
  std::vector<control_request> asked;
  {
    const std::lock_guard lock(inbox_guard_);
    asked.swap(asked_);
  }
  for (auto& request : asked) {
    auto& r = replicas_[request.shard];
    if (request.what == kind::cut_log) {
      cut(r, request.through, now);
      continue;
    }
    if (request.what == kind::catch_up && has_all(*r.group, request.node)) {
      now.answered.emplace_back(std::move(request.done), status{});
      continue;
    }
    const auto last = r.group->last_index();
    auto update = begin(*r.group, monotonic(), request);
    if (!update) {
      auto why = update.error();
      if (why.is(base_errc::unavailable)) why = not_the_leader(leader(request.shard));
      now.answered.emplace_back(std::move(request.done), fail(std::move(why)));
      continue;
    }
    r.controls.push_back({.asked = std::move(request), .term = r.group->term(), .index = last + 1});
    note(r, std::move(*update), now);
  }
}

// Raft's log begins behind a snapshot, which for us is the content as it stands. What a follower
// was offered stays, and its last entry with it, as long as it may be fetching.
void replicated_journal::cut(replica& r, raft::log_index through, round& now) {
  if (r.copy_noted) return;
  const auto time = monotonic();
  std::erase_if(r.offers, [&](const snapshot_offer& offer) {
    return offer.until < time || r.group->match_index(offer.to) >= offer.index;
  });
  const auto taken =
      r.offers.empty() ? r.group->describe_snapshot(r.applied) : fail(base_errc::in_progress);
  if (taken) {
    const bool has_others = r.group->members().servers.size() > 1;
    note(r, r.group->snapshot_taken(time, *taken, has_others ? options_.trailing_entries : 0), now);
    r.snapshot_index = taken->index;
  }
  const auto last = std::min({through, r.group->first_index() - 1, r.snapshot_index - 1});
  if (r.snapshot_index == 0 || last <= r.cut_through) return;
  storage_.remove_range(r.shard, last, now.batch);
  r.cut_through = last;
  now.touch(r.shard);
}

void replicated_journal::settle_controls(replica& r, round& now) {
  std::erase_if(r.controls, [&](running_control& running) {
    auto end = end_of(running, *r.group);
    if (!end) return false;
    now.answered.emplace_back(std::move(running.asked.done), std::move(*end));
    return true;
  });
}

void replicated_journal::publish_view(replica& r) {
  const auto& group = *r.group;
  auto& view = views_[r.shard];
  view.term = group.term();
  view.leader = group.leader();
  view.leading = group.current_state() == raft::state::leader;
  view.serving = r.published_term != 0 && !group.handing_over();
  view.whole = !r.copy_noted;
  view.stopped = r.stopped;
  view.commit = group.commit_index();
  view.applied = r.applied;
  view.last = group.last_index();
  if (std::exchange(r.members_changed, false)) view.members = group.members();
  view.followers.clear();
  if (!view.leading) return;
  for (const auto& member : view.members.servers) {
    if (member.node == options_.self) continue;
    view.followers.push_back({.node = member.node,
                              .match = group.match_index(member.node),
                              .catch_up = has_all(group, member.node) ? raft::raft_group::catch_up_state::done
                                                                      : group.catch_up_progress(member.node)});
  }
}

std::vector<replica_view> replicated_journal::views() const {
  const std::lock_guard lock(views_guard_);
  return views_;
}

}  // namespace omnicart::cluster
