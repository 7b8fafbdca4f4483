#include <algorithm>
#include <utility>

#include "cluster/raft/engine_values.hpp"
#include "cluster/raft/raft_group.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::raft {
namespace {

constexpr std::uint64_t number_max = std::uint64_t{1}
                                     << 62;  // indexes and terms stay far from overflow

term_number term_of(const message& m) {
  return std::visit([](const auto& body) { return body.term; }, m.body);
}

bool is_from_leader(const message& m) {
  return std::holds_alternative<append_request>(m.body) ||
         std::holds_alternative<install_request>(m.body);
}

status check_body(const vote_request& v) {
  return v.last_index > number_max || v.last_term > v.term ? malformed("an impossible request for a vote")
                                                           : status{};
}

status check_body(const vote_result&) { return {}; }

status check_body(const append_result& r) {
  return r.rejected > number_max || r.last_index > number_max || r.echo.count() < 0
             ? malformed("an impossible result")
             : status{};
}

status check_body(const timeout_now& t) {
  return t.last_index > number_max || t.last_term > t.term ? malformed("an impossible request to stand")
                                                           : status{};
}

status check_body(const install_request& i) {
  const auto& s = i.snapshot;
  if (s.index == 0 || s.index > number_max || s.term == 0 || s.term > i.term ||
      s.configuration_index > s.index) {
    return malformed("an impossible snapshot");
  }
  return check(s.members);
}

status check_entry(const log_entry& e, log_index index, term_number after, term_number newest) {
  if (e.index != index || e.term < std::max<term_number>(after, 1) || e.term > newest)
    return malformed("entries out of order");
  switch (e.type) {
    case entry_type::command:
      return e.bytes ? status{} : malformed("an entry without bytes");
    case entry_type::barrier:
      return {};
    case entry_type::change:
      if (!e.bytes) return malformed("an entry without bytes");
      if (const auto members = decode_configuration(*e.bytes); !members)
        return fail(members.error());
      return {};
  }
  return malformed("an unknown type of entry");
}

status check_body(const append_request& a) {
  if (a.prev_index > number_max || a.prev_term > a.term ||
      (a.prev_index == 0) != (a.prev_term == 0)) {
    return malformed("entries that follow nothing");
  }
  log_index index = a.prev_index;
  term_number after = a.prev_term;
  for (const auto& e : a.entries) {
    if (const auto sound = check_entry(e, ++index, after, a.term); !sound) return sound;
    after = e.term;
  }
  return {};
}

// Parts in which a change stands at the front only: libraft notes a change under the index of its
// message's first entry.
std::vector<append_request> parts_of(const append_request& whole) {
  std::vector<append_request> parts;
  append_request part = whole;
  part.entries.clear();
  for (const auto& e : whole.entries) {
    if (e.type == entry_type::change && !part.entries.empty()) {
      parts.push_back(part);
      part.prev_index = part.entries.back().index;
      part.prev_term = part.entries.back().term;
      part.entries.clear();
    }
    part.entries.push_back(e);
  }
  parts.push_back(std::move(part));
  return parts;
}

bool has_later_change(const append_request& whole) {
  const auto is_change = [](const log_entry& e) { return e.type == entry_type::change; };
  return whole.entries.size() > 1 &&
         std::any_of(whole.entries.begin() + 1, whole.entries.end(), is_change);
}

}  // namespace

result<update> raft_group::receive(monotonic_time now, const message& from_peer) {
  if (stopped_) return fail(base_errc::io, "the replica met a contradiction and stopped");
  if (const auto sound = check_message(from_peer); !sound) return fail(sound.error());
  set_clock(now);
  update into;
  if (is_wanted(from_peer)) {
    if (is_from_leader(from_peer)) {
      receive_from_leader(from_peer, into);
    } else if (std::holds_alternative<vote_request>(from_peer.body)) {
      receive_vote_request(from_peer, into);
    } else {
      receive_result(from_peer, into);
    }
  }
  finish(into);
  if (stopped_) return fail(base_errc::io, "the leader contradicts what is committed here");
  return into;
}

status raft_group::check_message(const message& m) const {
  if (m.to != options_.self) return malformed("a message for somebody else");
  if (m.from == 0 || m.from == options_.self) return malformed("a message from nobody");
  if (term_of(m) == 0 || term_of(m) > number_max) return malformed("an impossible term");
  const bool as_leader = is_from_leader(m);
  if (as_leader && term_of(m) == term() && current_state() == state::leader)
    return malformed("a second leader in one term");
  if (as_leader && term_of(m) == stamp_term_ && m.from != stamp_from_)
    return malformed("a second leader in one term");
  return std::visit([](const auto& body) { return check_body(body); }, m.body);
}

// Sound messages that are better not heard.
bool raft_group::is_wanted(const message& m) const {
  const bool asks_for_vote = std::holds_alternative<vote_request>(m.body);
  const bool asks_to_stand = std::holds_alternative<timeout_now>(m.body);
  if ((asks_for_vote || asks_to_stand) && monotonic_time{now_ms_} < silent_until_) return false;
  // The only voter would lead without a new term.
  if (asks_to_stand) return voters_.size() != 1;
  if (const auto* result = std::get_if<vote_result>(&m.body)) {
    // libraft looks at a candidate's flags in every state, and so takes late answers for news of a
    // higher term.
    if (current_state() != state::candidate && result->pre_vote) return false;
    // An answer to an earlier question, or one that cannot be.
    if (result->pre_vote && result->granted && result->term != term() + 1) return false;
  }
  return true;
}

void raft_group::receive_vote_request(const message& m, update& into) {
  const auto& request = std::get<vote_request>(m.body);
  const auto timeout_ms = static_cast<std::uint64_t>(options_.election_timeout.count());
  // libraft refuses until this node's own, longer, drawn timeout is over: the group would wait for the later of two
  // voters instead of the earlier. The minimum is what the leader's lease rests on, and what the paper says (4.2.3).
  if (now_ms_ - heard_ms_ >= timeout_ms) raft_engine_forget_leader(engine_.get());
  raft_engine_message shape{};
  shape.type = raft_engine_vote_request;
  shape.peer = m.from;
  shape.term = request.term;
  shape.index = request.last_index;
  shape.index_term = request.last_term;
  shape.flag = request.disrupt_leader;
  shape.pre_vote = request.pre_vote;
  raft_engine_output out;
  const int rv = raft_engine_receive(engine_.get(), now_ms_, &shape, &out);
  note(rv, out, {}, into);
  for (auto& answer : into.messages) {
    auto* result = std::get_if<vote_result>(&answer.body);
    if (result == nullptr || result->granted) continue;
    if (may_vote_as_stranger(request, m.from)) {
      result->granted = true;
      if (!request.pre_vote) raft_engine_set_vote(engine_.get(), m.from);
    } else if (request.pre_vote) {
      // libraft echoes the asker's term. One that is two terms behind would never learn of them,
      // and if its log is the longest nobody could ever be elected.
      result->term = std::max(result->term, term());
    }
  }
}

// A member without a vote by its own log. A node that does not know of the group is none: it may
// have lost its disk.
bool raft_group::is_stranger() const {
  const auto* self = find(members_, options_.self);
  return self != nullptr && self->as != role::voter;
}

// As a voter would.
bool raft_group::may_vote_as_stranger(const vote_request& request, node_id candidate) const {
  if (!is_stranger() || current_state() != state::follower || installing_) return false;
  if (raft_engine_leader_id(engine_.get()) != 0 && !request.disrupt_leader) return false;
  if (request.term < term() || (!request.pre_vote && request.term != term())) return false;
  const auto vote = raft_engine_vote(engine_.get());
  if (!request.pre_vote && vote != 0 && vote != candidate) return false;
  const auto last_term = window_.term_at(last_index());
  return request.last_term > last_term ||
         (request.last_term == last_term && request.last_index >= last_index());
}

void raft_group::receive_from_leader(const message& m, update& into) {
  if (term_of(m) < term()) {  // libraft's own answer leaves the last index to chance
    into.messages.push_back(
        {.from = options_.self, .to = m.from, .body = append_result{.term = term()}});
    return;
  }
  if (term_of(m) > stamp_term_) stamp_ = monotonic_time{0};
  stamp_term_ = term_of(m);
  stamp_from_ = m.from;
  heard_ms_ = now_ms_;
  if (const auto* request = std::get_if<append_request>(&m.body)) {
    // Whatever becomes of the entries, the election timer begins anew.
    stamp_ = std::max(stamp_, request->sent_at);
    receive_append(m.from, *request, into);
  } else {
    receive_install(m.from, std::get<install_request>(m.body), into);
  }
}

// libraft rejects what follows an entry that this log no longer holds, and a leader whose log begins
// earlier would go on asking for ever. What the snapshot covers is committed, so it is the leader's
// too: what follows it is taken as if it had been sent behind it.
append_request raft_group::behind_snapshot(const append_request& request) const {
  auto rest = request;
  if (!snapshot_ || installing_ || request.prev_index >= snapshot_->index ||
      window_.term_at(request.prev_index) != 0 || window_.first_index() == 1) {
    return rest;
  }
  rest.prev_index = snapshot_->index;
  rest.prev_term = snapshot_->term;
  std::erase_if(rest.entries, [&](const log_entry& e) { return e.index <= snapshot_->index; });
  return rest;
}

void raft_group::receive_append(node_id from, const append_request& whole, update& into) {
  const auto request = behind_snapshot(whole);
  if (!has_later_change(request)) {
    receive_part(from, request, into);
    return;
  }
  for (const auto& part : parts_of(request)) {
    if (!receive_part(from, part, into)) return;
  }
}

// False when it was rejected.
bool raft_group::receive_part(node_id from, const append_request& part, update& into) {
  settle_earlier_change(part, into);
  const engine_entries entries(part.entries);
  raft_engine_message shape{};
  shape.type = raft_engine_append;
  shape.peer = from;
  shape.term = part.term;
  shape.index = part.prev_index;
  shape.index_term = part.prev_term;
  shape.commit = part.leader_commit;
  shape.entries = entries.data();
  shape.count = entries.size();
  raft_engine_output out;
  const int rv = raft_engine_receive(engine_.get(), now_ms_, &shape, &out);
  const std::size_t messages_before = into.messages.size();
  note(rv, out, part.entries, into);
  return !stopped_ &&
         std::none_of(into.messages.begin() + static_cast<std::ptrdiff_t>(messages_before),
                      into.messages.end(), [](const message& answer) {
                        const auto* result = std::get_if<append_result>(&answer.body);
                        return result != nullptr && result->rejected != 0;
                      });
}

// A leader adds a change only when the one before it is committed, so the earlier one is, if our
// log is the leader's up to here. libraft remembers a single uncommitted change and would roll back
// to one too old.
void raft_group::settle_earlier_change(const append_request& part, update& into) {
  if (part.entries.empty() || part.entries.front().type != entry_type::change) return;
  const auto earlier = raft_engine_uncommitted_index(engine_.get());
  const auto& change = part.entries.front();
  if (earlier == 0 || earlier >= change.index || window_.term_at(change.index) == change.term)
    return;
  if (window_.term_at(part.prev_index) != part.prev_term) return;
  raft_engine_output out;
  const int rv = raft_engine_configuration_committed(engine_.get(), now_ms_, &out);
  members_changed_ = true;
  note(rv, out, {}, into);
}

void raft_group::receive_install(node_id from, const install_request& request, update& into) {
  const engine_snapshot snapshot(request.snapshot);
  raft_engine_message shape{};
  shape.type = raft_engine_install;
  shape.peer = from;
  shape.term = request.term;
  shape.index = request.snapshot.index;
  shape.index_term = request.snapshot.term;
  shape.snapshot = snapshot.view();
  raft_engine_output out;
  const int rv = raft_engine_receive(engine_.get(), now_ms_, &shape, &out);
  if (rv == 0 && out.install) {  // the engine's log is the snapshot now; what is being written is
                                 // of no account
    installing_ = request.snapshot;
    window_.reset(installing_->index + 1, installing_->index, installing_->term);
    writes_.clear();
    into.install = snapshot_wanted{.from = from, .metadata = *installing_};
  }
  note(rv, out, {}, into);
}

void raft_group::receive_result(const message& m, update& into) {
  raft_engine_message shape{};
  shape.peer = m.from;
  shape.term = term_of(m);
  if (const auto* vote = std::get_if<vote_result>(&m.body)) {
    shape.type = raft_engine_vote_result;
    shape.flag = vote->granted;
    shape.pre_vote = vote->pre_vote;
  } else if (const auto* result = std::get_if<append_result>(&m.body)) {
    shape.type = raft_engine_append_result;
    shape.index = result->last_index;
    shape.rejected = result->rejected;
    forget_late_rejection(m.from, shape);
    empties_ = empty_appends::thin_out;
    note_echo(m.from, *result);
  } else {
    const auto& stand = std::get<timeout_now>(m.body);
    shape.type = raft_engine_timeout_now;
    shape.index = stand.last_index;
    shape.index_term = stand.last_term;
  }
  raft_engine_output out;
  const int rv = raft_engine_receive(engine_.get(), now_ms_, &shape, &out);
  note(rv, out, {}, into);
}

// A follower refuses an entry, gets it, and its refusal arrives last. libraft, while it probes, would go back behind what
// it knows the follower to have, and from there send it no entry any more for as long as it leads.
void raft_group::forget_late_rejection(node_id from, raft_engine_message& result) const {
  if (result.rejected == 0) return;
  const log_index known = match_index(from);
  result.index = std::max<log_index>(result.index, known);
  if (result.rejected <= known) result.rejected = 0;
}

void raft_group::note_echo(node_id from, const append_result& result) {
  if (current_state() != state::leader || result.term != term()) return;
  // A stamp of ours comes back; one from the future is somebody's mistake.
  if (result.echo <= monotonic_time{now_ms_}) lease_.echoed(from, result.echo);
}

}  // namespace omnicart::raft
