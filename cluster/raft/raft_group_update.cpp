#include <algorithm>
#include <iterator>
#include <utility>

#include "cluster/raft/engine_values.hpp"
#include "cluster/raft/raft_group.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::raft {
namespace {

// One append as several, none of which carries more bytes than `bytes_max` unless it is a single
// entry.
void split(const message& request, std::vector<log_entry> entries, std::size_t bytes_max,
           std::vector<message>& into) {
  append_request part = std::get<append_request>(request.body);
  std::size_t bytes = 0;
  const auto send = [&] {
    into.push_back({.from = request.from, .to = request.to, .body = part});
    part.prev_index = part.entries.back().index;
    part.prev_term = part.entries.back().term;
    part.entries.clear();
    bytes = 0;
  };
  for (auto& e : entries) {
    const std::size_t size = e.bytes ? e.bytes->size() : 0;
    if (!part.entries.empty() && bytes + size > bytes_max) send();
    bytes += size;
    part.entries.push_back(std::move(e));
  }
  send();
}

template <class T>
void move_to(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  from.clear();
}

}  // namespace

// `batch` is what the engine was given: it wants the last out.count entries of it persisted.
void raft_group::note(int engine_error, const raft_engine_output& out, std::vector<log_entry> batch,
                      update& into) {
  if (engine_error == raft_engine_shutdown) {
    stopped_ = true;
    return;
  }
  ensure(engine_error == 0, "libraft takes what was checked before");
  if (out.first_index != 0) note_entries(out, std::move(batch), into);
  for (unsigned i = 0; i < out.message_count; ++i) note_message(out.messages[i], into);
}

void raft_group::note_entries(const raft_engine_output& out, std::vector<log_entry> batch,
                              update& into) {
  if (out.own_barrier) {
    batch = {
        {.index = out.first_index, .term = term(), .type = entry_type::barrier, .bytes = nullptr}};
    barrier_ = out.first_index;
  }
  batch.erase(batch.begin(), batch.end() - static_cast<std::ptrdiff_t>(out.count));
  ensure(batch.front().index == out.first_index, "the engine counts as we do");
  if (out.first_index <= window_.last_index()) {
    window_.truncate(out.first_index);
    for (auto& write : writes_) write.last_index = std::min(write.last_index, out.first_index - 1);
    members_changed_ = true;
  }
  for (const auto& e : batch) {
    window_.append(e);
    if (e.type == entry_type::change) members_changed_ = true;
  }
  ensure(into.entries.empty() || into.entries.back().index + 1 == out.first_index,
         "one call's entries are in sequence");
  move_to(into.entries, batch);
}

void raft_group::note_message(const raft_engine_message& m, update& into) {
  if (m.peer == 0) return;  // to a leader that was forgotten
  const auto send = [&](message_body body) {
    into.messages.push_back({.from = options_.self, .to = m.peer, .body = std::move(body)});
  };
  switch (m.type) {
    case raft_engine_append:
      note_append(m, into);
      break;
    case raft_engine_append_result:
      send(append_result{.term = m.term,
                         .rejected = m.rejected,
                         .last_index = m.index,
                         .echo = m.term == stamp_term_ ? stamp_ : monotonic_time{0}});
      break;
    case raft_engine_vote_request:
      send(vote_request{.term = m.term,
                        .last_index = m.index,
                        .last_term = m.index_term,
                        .disrupt_leader = m.flag,
                        .pre_vote = m.pre_vote});
      break;
    case raft_engine_vote_result:
      send(vote_result{.term = m.term, .granted = m.flag, .pre_vote = m.pre_vote});
      break;
    case raft_engine_install:
      ensure(snapshot_ && snapshot_->index == m.index, "the snapshot offered is the latest");
      send(install_request{.term = m.term, .snapshot = *snapshot_});
      break;
    case raft_engine_timeout_now:
      send(timeout_now{.term = m.term, .last_index = m.index, .last_term = m.index_term});
      break;
    default:
      bug("libraft sends six kinds of messages");
  }
}

void raft_group::note_append(const raft_engine_message& m, update& into) {
  auto& last_ms = appended_ms_[m.peer];
  const auto half_beat_ms = static_cast<std::uint64_t>(options_.heartbeat.count()) / 2;
  if (m.count == 0 && empties_ == empty_appends::thin_out && now_ms_ - last_ms < half_beat_ms)
    return;
  last_ms = now_ms_;
  message request{.from = options_.self,
                  .to = m.peer,
                  .body = append_request{.term = m.term,
                                         .prev_index = m.index,
                                         .prev_term = m.index_term,
                                         .leader_commit = m.commit,
                                         .sent_at = monotonic_time{now_ms_}}};
  if (m.count == 0) {
    into.messages.push_back(std::move(request));
  } else if (auto entries = window_.entries(m.index + 1, m.count)) {
    split(request, std::move(*entries), options_.message_bytes_max, into.messages);
  } else {
    into.reads.push_back({.request = std::move(request), .first = m.index + 1, .count = m.count});
  }
}

std::vector<message> raft_group::complete_append(const entries_wanted& wanted,
                                                 std::vector<log_entry> entries) const {
  const auto& request = std::get<append_request>(wanted.request.body);
  // Another leader may have replaced what was read, and this one never had it.
  if (stopped_ || current_state() != state::leader || term() != request.term) return {};
  if (entries.size() != wanted.count) return {};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto index = wanted.first + i;
    if (entries[i].index != index || entries[i].term != window_.term_at(index)) return {};
  }
  std::vector<message> messages;
  split(wanted.request, std::move(entries), options_.message_bytes_max, messages);
  return messages;
}

void raft_group::finish(update& into) {
  if (!stopped_) {
    if (members_changed_) read_members();
    if (current_state() != state::leader) {
      barrier_ = 0;
      handover_.reset();
    } else if (seen_state_ != state::leader || seen_term_ != term()) {
      begin_term(into);
    }
    if (current_state() == state::leader) lease_.committed(commit_index());
    settle_change(into);
    advance_handover(into);
    const auto safe = std::min(commit_index(), raft_engine_stored_index(engine_.get()));
    applicable_ = std::max(applicable_, safe);
    if (members_changed_) read_members();
    take_turn();
  }
  empties_ = empty_appends::send;
  into.state_changed =
      seen_state_ != current_state() || seen_term_ != term() || seen_leader_ != leader();
  seen_state_ = current_state();
  seen_term_ = term();
  seen_leader_ = leader();
  number_write(into);
}

// When this voter stands, should no leader be heard. Chance alone, over a whole election timeout,
// makes a group wait for a third of it on average, and now and then two stand at once. So voters
// stand in turn, beginning behind the leader that was heard last: the first a little after the
// minimum, when the others may vote (a heartbeat reaches them at different times), the next a
// quarter of the timeout later; chance is left an eighth.
void raft_group::take_turn() {
  const unsigned given_ms = raft_engine_patience(engine_.get());
  if (given_ms == 0) return;
  const auto least_ms = static_cast<unsigned>(options_.election_timeout.count());
  if (given_ms != patience_ms_) drawn_ms_ = std::max(given_ms, least_ms);
  const auto place_of = [this](node_id node) {
    return std::find(voters_.begin(), voters_.end(), node) - voters_.begin();
  };
  const auto count = std::ssize(voters_);
  const auto self = place_of(options_.self);
  if (self == count) return;
  const auto leader = place_of(stamp_from_);
  const auto turn = leader == count ? self : (self - leader + count - 1) % count;
  const auto wait_ms =
      static_cast<unsigned>(options_.heartbeat.count() / 2 + turn * (least_ms / 4));
  patience_ms_ = least_ms + std::min(wait_ms, least_ms) + (drawn_ms_ - least_ms) / 8;
  raft_engine_set_patience(engine_.get(), patience_ms_);
}

void raft_group::begin_term(update& into) {
  lease_.begin();
  handover_.reset();
  // Remembered before the barrier is noted, which may be the engine's own from this very call.
  if (barrier_ == 0 || window_.term_at(barrier_) != term()) {
    barrier_ = last_index() + 1;
    propose(entry_type::barrier, {nullptr}, into);
  }
}

void raft_group::settle_change(update& into) {
  const auto change = raft_engine_uncommitted_index(engine_.get());
  if (change == 0 || change > commit_index()) return;
  raft_engine_output out;
  const int rv = raft_engine_configuration_committed(engine_.get(), now_ms_, &out);
  members_changed_ = true;
  note(rv, out, {}, into);
  if (current_state() == state::leader) return;  // else it removed itself
  barrier_ = 0;
  handover_.reset();
}

void raft_group::advance_handover(update& into) {
  if (!handover_) return;
  if (handover_->asked) {
    if (raft_engine_transferee(engine_.get()) != 0) return;
    handover_.reset();
    // The target did not stand, and must not do so later: one more entry sees to that (read_lease).
    propose(entry_type::barrier, {nullptr}, into);
  } else if (match_index(handover_->target) == last_index()) {
    lease_.distrust(last_index());
    handover_->asked = true;
    raft_engine_output out;
    const int rv = raft_engine_transfer(engine_.get(), now_ms_, handover_->target, &out);
    note(rv, out, {}, into);
  } else if (monotonic_time{now_ms_} >= handover_->deadline) {
    handover_.reset();
    lease_.resume();
  }
}

bool raft_group::has_own_change(const update& of) const {
  const auto is_own_change = [&](const log_entry& e) {
    return e.type == entry_type::change && e.term == term();
  };
  return current_state() == state::leader && std::ranges::any_of(of.entries, is_own_change);
}

void raft_group::number_write(update& into) {
  const hard_state hard{.term = term(), .voted_for = raft_engine_vote(engine_.get())};
  if (hard != noted_) into.hard = noted_ = hard;
  if (into.hard || !into.entries.empty()) {
    into.write = next_write_++;
    if (into.hard || has_own_change(into)) gate_write_ = into.write;
    if (!into.entries.empty()) {
      writes_.push_back({.number = into.write, .last_index = into.entries.back().index});
    }
  }
  if (gate_write_ <= persisted_write_) return;
  move_to(held_.messages, into.messages);
  move_to(held_.reads, into.reads);
}

void raft_group::release_held(update& into) {
  if (gate_write_ > persisted_write_) return;
  move_to(into.messages, held_.messages);
  move_to(into.reads, held_.reads);
}

void raft_group::read_members() {
  members_changed_ = false;
  members_.servers.clear();
  for (unsigned i = 0; i < raft_engine_server_count(engine_.get()); ++i) {
    const auto s = raft_engine_server_at(engine_.get(), i);
    members_.servers.push_back({.node = s.id, .as = static_cast<role>(s.role)});
  }
  voters_ = voters_of(members_);
}

}  // namespace omnicart::raft
