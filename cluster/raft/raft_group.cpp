#include "cluster/raft/raft_group.hpp"

#include <algorithm>
#include <utility>

#include "cluster/raft/engine_values.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::raft {
namespace {

unsigned milliseconds(monotonic_time time) { return static_cast<unsigned>(time.count()); }

tl::unexpected<error> bad_log(const char* why) { return fail(base_errc::malformed, why); }

status check_snapshot(const snapshot_metadata& s, term_number newest) {
  if (s.index == 0 || s.term == 0 || s.term > newest || s.configuration_index > s.index) {
    return bad_log("the stored snapshot cannot be");
  }
  return check(s.members);
}

status check_entries(const std::vector<log_entry>& entries, term_number newest) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& e = entries[i];
    if (i > 0 && e.index != entries[i - 1].index + 1) return bad_log("the stored log has a gap");
    if (e.term == 0 || e.term > newest || (i > 0 && e.term < entries[i - 1].term)) {
      return bad_log("the stored log has impossible terms");
    }
    if (e.type != entry_type::change) continue;
    if (!e.bytes || !decode_configuration(*e.bytes))
      return bad_log("a stored configuration does not decode");
  }
  return {};
}

status check_stored(const stored_state& stored) {
  if (const auto sound = check_entries(stored.entries, stored.hard.term); !sound) return sound;
  if (stored.snapshot) {
    if (!stored.entries.empty() && stored.entries.front().index > stored.snapshot->index + 1) {
      return bad_log("entries are missing behind the stored snapshot");
    }
    return check_snapshot(*stored.snapshot, stored.hard.term);
  }
  if (!stored.entries.empty() &&
      (stored.entries.front().index != 1 || stored.entries.front().type != entry_type::change)) {
    return bad_log("a log without a snapshot begins with a configuration");
  }
  return {};
}

// The log that goes with the snapshot: none, when it ends before the snapshot or holds another
// history.
std::vector<log_entry> log_of(const stored_state& stored) {
  const auto& entries = stored.entries;
  if (!stored.snapshot || entries.empty() || entries.front().index == stored.snapshot->index + 1)
    return entries;
  if (entries.back().index < stored.snapshot->index) return {};
  const auto& covered = entries[stored.snapshot->index - entries.front().index];
  return covered.term == stored.snapshot->term ? entries : std::vector<log_entry>{};
}

std::optional<configuration> latest_configuration(const stored_state& stored,
                                                  const std::vector<log_entry>& log) {
  for (auto e = log.rbegin(); e != log.rend(); ++e) {
    if (e->type == entry_type::change) return decode_configuration(*e->bytes).value();
  }
  if (stored.snapshot) return stored.snapshot->members;
  return std::nullopt;
}

bool is_alone(const std::vector<node_id>& voters, node_id self) {
  return voters.size() == 1 && voters.front() == self;
}

}  // namespace

const char* to_string(state s) {
  switch (s) {
    case state::follower:
      return "follower";
    case state::candidate:
      return "candidate";
    case state::leader:
      return "leader";
  }
  return "";
}

raft_group::raft_group(const group_options& options)
    : options_(options),
      engine_(raft_engine_new(options.self, options.seed, milliseconds(options.election_timeout),
                              milliseconds(options.heartbeat),
                              milliseconds(options.install_timeout), options.inflight_entries_max),
              &raft_engine_free),
      window_(options.memory_bytes_max),
      lease_(options.election_timeout) {
  ensure(options.self != 0, "a replica has a node");
  ensure(engine_ != nullptr, "there is memory for a replica");
}

raft_group::~raft_group() = default;

void raft_group::set_clock(monotonic_time now) {
  now_ms_ = std::max(now_ms_, static_cast<std::uint64_t>(std::max<std::int64_t>(now.count(), 0)));
}

result<update> raft_group::start(monotonic_time now, const stored_state& stored) {
  if (const auto sound = check_stored(stored); !sound) return fail(sound.error());
  set_clock(now);
  update into;
  const auto log = log_of(stored);
  const log_index covered = stored.snapshot ? stored.snapshot->index : 0;
  const log_index first = log.empty() ? covered + 1 : log.front().index;
  snapshot_ = stored.snapshot;
  window_.reset(first, covered, stored.snapshot ? stored.snapshot->term : 0);
  for (const auto& e : log) window_.append_stored(e.term);

  noted_ = stored.hard;
  hard_state hard = stored.hard;
  // It may have promised a leader not to vote; only a replica that never had a term has promised
  // nothing.
  if (hard.term > 0) silent_until_ = monotonic_time{now_ms_} + options_.election_timeout;
  // libraft elects the only voter without a new term, in which another may have led while there
  // were more voters.
  const auto latest = latest_configuration(stored, log);
  if (latest && is_alone(voters_of(*latest), options_.self)) hard = {hard.term + 1, options_.self};

  const engine_entries entries(log);
  std::optional<engine_snapshot> snapshot;
  if (snapshot_) snapshot.emplace(*snapshot_);
  const auto view = snapshot ? snapshot->view() : raft_engine_snapshot{};
  raft_engine_output out;
  const int rv =
      raft_engine_start(engine_.get(), now_ms_, hard.term, hard.voted_for,
                        snapshot ? &view : nullptr, first, entries.data(), entries.size(), &out);
  note(rv, out, {}, into);
  finish(into);
  return into;
}

update raft_group::persisted(monotonic_time now, std::uint64_t write) {
  set_clock(now);
  update into;
  persisted_write_ = std::max(persisted_write_, write);
  log_index reached = 0;
  while (!writes_.empty() && writes_.front().number <= write) {
    reached = writes_.front().last_index;
    writes_.pop_front();
  }
  release_held(into);
  if (!stopped_ && reached > raft_engine_stored_index(engine_.get())) {
    raft_engine_output out;
    const int rv = raft_engine_persisted_entries(engine_.get(), now_ms_, reached, &out);
    note(rv, out, {}, into);
    window_.shrink(reached);
  }
  finish(into);
  return into;
}

update raft_group::timeout(monotonic_time now) {
  set_clock(now);
  update into;
  if (!stopped_ && now_ms_ >= engine_timeout_ms()) {
    timed_out_ms_ = now_ms_;
    const bool may_stand = last_index() == raft_engine_stored_index(engine_.get()) && !installing_;
    if (may_stand && current_state() != state::leader && is_alone(voters_, options_.self))
      fresh_term(into);
    raft_engine_output out;
    const int rv = raft_engine_timeout(engine_.get(), now_ms_, &out);
    note(rv, out, {}, into);
  }
  finish(into);
  return into;
}

// See start(): as somebody else's request for a vote in the next term would, one that has no chance
// of getting it.
void raft_group::fresh_term(update& into) {
  raft_engine_message request{};
  request.type = raft_engine_vote_request;
  request.peer = options_.self == 1 ? 2 : 1;
  request.term = term() + 1;
  request.flag = true;
  raft_engine_output out;
  const int rv = raft_engine_receive(engine_.get(), now_ms_, &request, &out);
  out.message_count = 0;
  note(rv, out, {}, into);
}

result<update> raft_group::submit(monotonic_time now, std::vector<std::string> payloads) {
  if (!serving()) return fail(base_errc::unavailable, "not the leader");
  if (payloads.empty()) return fail(base_errc::precondition_failed, "nothing to submit");
  if (last_index() - commit_index() + payloads.size() > options_.uncommitted_entries_max) {
    return fail(base_errc::overloaded, "too many entries wait to be committed");
  }
  for (const auto& bytes : payloads) {
    if (bytes.size() > options_.entry_bytes_max)
      return fail(base_errc::precondition_failed, "an entry is too large");
  }
  set_clock(now);
  update into;
  std::vector<payload> shared;
  shared.reserve(payloads.size());
  for (auto& bytes : payloads)
    shared.push_back(std::make_shared<const std::string>(std::move(bytes)));
  empties_ = empty_appends::thin_out;
  propose(entry_type::command, std::move(shared), into);
  finish(into);
  return into;
}

void raft_group::propose(entry_type type, std::vector<payload> payloads, update& into) {
  std::vector<log_entry> batch;
  batch.reserve(payloads.size());
  log_index index = last_index();
  for (auto& bytes : payloads) {
    batch.push_back({.index = ++index, .term = term(), .type = type, .bytes = std::move(bytes)});
  }
  const engine_entries entries(batch);
  raft_engine_output out;
  const int rv = raft_engine_submit(engine_.get(), now_ms_, entries.data(), entries.size(), &out);
  note(rv, out, std::move(batch), into);
}

result<update> raft_group::change_membership(monotonic_time now, const membership_change& change) {
  if (!serving()) return fail(base_errc::unavailable, "not the leader");
  if (raft_engine_uncommitted_index(engine_.get()) != 0 ||
      raft_engine_promotee(engine_.get()) != 0) {
    return fail(base_errc::overloaded, "another change of membership is under way");
  }
  // Without this, two leaders could each take one of two steps and have majorities that do not
  // meet.
  if (commit_index() < barrier_) return fail(base_errc::overloaded, "the leader has just begun");
  auto after = changed(members_, change);
  if (!after) return fail(after.error());
  const bool is_promotion =
      change.what == membership_change::kind::assign && change.as == role::voter;
  if (change.node == options_.self)
    return fail(base_errc::precondition_failed, "hand over leadership first");
  if (is_promotion && !has_log(change.node))
    return fail(base_errc::precondition_failed, "catch the node up first");
  set_clock(now);
  update into;
  propose(entry_type::change, {std::make_shared<const std::string>(encode_configuration(*after))},
          into);
  finish(into);
  return into;
}

// It knows at least that it belongs to the group: a node that knows nothing gives no vote, and
// without votes a leader that began to count on it could not be replaced.
bool raft_group::has_log(node_id node) const {
  const auto configured = raft_engine_committed_configuration_index(engine_.get());
  return match_index(node) >= std::max<log_index>(configured, 1);
}

result<update> raft_group::catch_up(monotonic_time now, node_id node) {
  if (!serving()) return fail(base_errc::unavailable, "not the leader");
  if (raft_engine_promotee(engine_.get()) != 0)
    return fail(base_errc::overloaded, "another is catching up");
  const auto* member = find(members_, node);
  if (member == nullptr) return fail(base_errc::precondition_failed, "the node is no member");
  if (member->as == role::voter)
    return fail(base_errc::precondition_failed, "the node is a voter already");
  set_clock(now);
  update into;
  raft_engine_output out;
  const int rv = raft_engine_catch_up(engine_.get(), now_ms_, node, &out);
  note(rv, out, {}, into);
  finish(into);
  return into;
}

result<update> raft_group::transfer(monotonic_time now, node_id node) {
  if (current_state() != state::leader) return fail(base_errc::unavailable, "not the leader");
  if (handover_) return fail(base_errc::overloaded, "a transfer is under way");
  const auto* member = find(members_, node);
  if (member == nullptr || member->as != role::voter || node == options_.self) {
    return fail(base_errc::precondition_failed, "leadership goes to another voter");
  }
  set_clock(now);
  update into;
  lease_.suspend();
  handover_ =
      handover{.target = node, .deadline = monotonic_time{now_ms_} + options_.election_timeout};
  finish(into);
  return into;
}

result<snapshot_metadata> raft_group::describe_snapshot(log_index index) const {
  const log_index before = snapshot_ ? snapshot_->index : 0;
  if (index <= before || index > applicable_ || window_.term_at(index) == 0) {
    return fail(base_errc::precondition_failed, "no snapshot can end there");
  }
  const auto configured = raft_engine_committed_configuration_index(engine_.get());
  if (configured > index)
    return fail(base_errc::overloaded, "the membership changed after that entry");
  snapshot_metadata taken{
      .index = index, .term = window_.term_at(index), .configuration_index = configured};
  for (unsigned i = 0; i < raft_engine_committed_server_count(engine_.get()); ++i) {
    const auto s = raft_engine_committed_server_at(engine_.get(), i);
    taken.members.servers.push_back({.node = s.id, .as = static_cast<role>(s.role)});
  }
  return taken;
}

update raft_group::snapshot_taken(monotonic_time now, const snapshot_metadata& taken,
                                  unsigned trailing) {
  set_clock(now);
  update into;
  const log_index before = snapshot_ ? snapshot_->index : 0;
  if (stopped_ || taken.index <= before || window_.term_at(taken.index) != taken.term) return into;
  snapshot_ = taken;
  const engine_snapshot view(*snapshot_);
  const auto shape = view.view();
  raft_engine_output out;
  const int rv = raft_engine_took_snapshot(engine_.get(), now_ms_, &shape, trailing, &out);
  window_.cut(window_.first_index() - 1, taken.index, taken.term);
  // As libraft does: with fewer entries than are to stay, all stay.
  if (taken.index > trailing && window_.term_at(taken.index - trailing) != 0) {
    window_.cut(taken.index - trailing, taken.index, taken.term);
  }
  note(rv, out, {}, into);
  finish(into);
  return into;
}

update raft_group::snapshot_installed(monotonic_time now, const snapshot_metadata& installed) {
  set_clock(now);
  update into;
  if (stopped_ || !installing_ || *installing_ != installed) return into;
  installing_.reset();
  snapshot_ = installed;
  const engine_snapshot view(*snapshot_);
  const auto shape = view.view();
  raft_engine_output out;
  const int rv = raft_engine_persisted_snapshot(engine_.get(), now_ms_, &shape, &out);
  members_changed_ = true;
  note(rv, out, {}, into);
  finish(into);
  return into;
}

std::optional<monotonic_time> raft_group::lease_expires_at(monotonic_time now) const {
  if (stopped_ || current_state() != state::leader) return std::nullopt;
  return lease_.expires_at(std::max(now, monotonic_time{now_ms_}), options_.self, voters_);
}

bool raft_group::may_read(monotonic_time now, log_index applied) const {
  if (barrier_ == 0 || applied < barrier_ || commit_index() < barrier_) return false;
  const auto end = lease_expires_at(now);
  return end && std::max(now, monotonic_time{now_ms_}) < *end;
}

state raft_group::current_state() const {
  return static_cast<state>(raft_engine_current_state(engine_.get()));
}

term_number raft_group::term() const { return raft_engine_term(engine_.get()); }

node_id raft_group::leader() const {
  const auto known = raft_engine_leader_id(engine_.get());
  // libraft remembers a leader into the next term.
  return current_state() == state::leader || term() == stamp_term_ ? known : 0;
}

bool raft_group::serving() const {
  return !stopped_ && current_state() == state::leader && !handover_;
}

log_index raft_group::commit_index() const { return raft_engine_commit_index(engine_.get()); }

log_index raft_group::applicable_index() const { return applicable_; }

log_index raft_group::first_index() const { return window_.first_index(); }

log_index raft_group::last_index() const { return raft_engine_last_index(engine_.get()); }

log_index raft_group::stored_index() const { return raft_engine_stored_index(engine_.get()); }

log_index raft_group::barrier_index() const { return barrier_; }

term_number raft_group::term_at(log_index index) const { return window_.term_at(index); }

// libraft's leader also waits to send to a spare that it sent to when it was none, and never does:
// that time stays in the past for ever.
std::uint64_t raft_group::engine_timeout_ms() const {
  const auto due_ms = raft_engine_next_timeout(engine_.get());
  return due_ms > timed_out_ms_
             ? due_ms
             : timed_out_ms_ + static_cast<std::uint64_t>(options_.heartbeat.count());
}

monotonic_time raft_group::next_timeout() const {
  const monotonic_time due{engine_timeout_ms()};
  return handover_ && !handover_->asked ? std::min(due, handover_->deadline) : due;
}

log_index raft_group::match_index(node_id node) const {
  return raft_engine_match_index(engine_.get(), node);
}

raft_group::catch_up_state raft_group::catch_up_progress(node_id node) const {
  switch (raft_engine_catch_up_status(engine_.get(), node)) {
    case 1:
      return catch_up_state::running;
    case 2:
      return catch_up_state::gave_up;
    case 3:
      return catch_up_state::done;
    default:
      return catch_up_state::none;
  }
}

}  // namespace omnicart::raft
