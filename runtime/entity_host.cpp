#include "runtime/entity_host.hpp"

#include <algorithm>

#include "runtime/base/limits.hpp"
#include "runtime/crash_point.hpp"
#include "runtime/placement.hpp"
#include "runtime/timers.hpp"

namespace omnicart {
namespace {

// A snapshot is worth its bytes when replaying what follows the last one would cost as much as reading it.
constexpr std::uint32_t events_per_snapshot_min = 64;

// Below are the codes of the machinery (runtime/base/result.hpp).
constexpr error_number first_module_error = 100;

// By how much a copy may be older than the doubt that came with the next one: the way of that, and two clocks' difference.
constexpr duration_ms doubt_margin{5'000};

answer failure(error why, std::uint64_t version) {
  answer got;
  got.failure = std::move(why);
  got.version = version;
  return got;
}

caller system_caller() {
  caller self;
  self.as = role::system;
  return self;
}

void say(const reply_fn& reply, answer got) {
  if (!reply) return;
  OMNICART_CRASH_POINT("before_reply");
  reply(std::move(got));
  OMNICART_CRASH_POINT("after_reply");
}

}  // namespace

entity_host::entity_host(entity_ref self, const kind_entry& kind, host_environment& env, mailbox& box)
    : self_(std::move(self)), kind_(kind), env_(env), box_(box) {}

entity_host::~entity_host() { env_.resident_changed(-static_cast<std::int64_t>(resident_)); }

bool entity_host::receive(host_message message) {
  std::visit([this](auto& content) { on(content); }, message);
  return retired_;
}

std::string entity_host::describe() const { return phase_ == phase::active ? state_->describe() : ""; }

entity_host::extras& entity_host::more() {
  if (!more_) more_ = std::make_unique<extras>();
  return *more_;
}

// --- activation -----------------------------------------------------------------------------------------------

void entity_host::on(envelope& message) {
  if (phase_ == phase::active) {
    env_.handled(*this);
    handle(message, false);
    return;
  }
  if (phase_ == phase::gone) {
    env_.handled(*this);
    return say(message.reply, failure(not_the_leader(std::nullopt), 0));
  }
  more().stash.push_back(std::move(message));
  if (phase_ == phase::idle) load();
}

void entity_host::load() {
  term_ = env_.journal.term_of(self_);
  // The message was let in just before the leadership ended: what is stored may be behind, and nobody would say so.
  if (term_ == 0) return refuse_stash(not_the_leader(std::nullopt));
  phase_ = phase::loading;
  loads_ = true;
  OMNICART_CRASH_POINT("before_load");
  env_.store.load(self_, [&box = box_](result<stored_entity> found) {
    box.post(state_loaded{std::move(found)});
  });
}

void entity_host::on(state_loaded& message) {
  loads_ = false;
  if (phase_ == phase::gone) return leave_if_forgotten();
  if (!message.found) return refuse_stash(message.found.error());
  if (auto taken = take_over(*message.found); !taken) {
    env_.unreadable(self_, taken.error());
    return refuse_stash(make_error(base_errc::io, "the stored record does not read"));
  }
  OMNICART_CRASH_POINT("after_load");
  phase_ = phase::active;
  report_memory();
  // What was owed before the last stop is sent again at once.
  for (auto& effect : new_effects()) env_.out.send(std::move(effect));
  auto waiting = std::move(more().stash);
  for (auto& envelope : waiting) {
    env_.handled(*this);
    handle(envelope, false);
  }
  drop_empty_extras();
}

result<void> entity_host::take_over(stored_entity& found) {
  state_ = kind_.make();
  if (found.state) {
    if (auto read = state_->restore(found.state->state); !read) return read;
    version_ = found.state->version;
    snapshot_bytes_ = static_cast<std::uint32_t>(found.state->state.size());
    if (!kind_.keep_history) kept_from_ = version_ + 1;
  }
  for (const auto& record : found.events) {
    if (auto applied = state_->replay(record.event); !applied) return applied;
    ++version_;
    ++events_since_snapshot_;
    bytes_since_snapshot_ += static_cast<std::uint32_t>(record.event.size());
  }
  state_->check_full();
  timer_ = found.timer;
  return {};
}

// The record cannot be had: everybody is told, and the next message tries afresh.
void entity_host::refuse_stash(const error& why) {
  auto waiting = std::move(more().stash);
  state_.reset();
  phase_ = phase::idle;
  version_ = 0;
  for (auto& envelope : waiting) {
    env_.handled(*this);
    say(envelope.reply, failure(why, 0));
  }
}

// --- commands -------------------------------------------------------------------------------------------------

context entity_host::context_for(const envelope& message) const {
  return {.now = env_.journal.log_time(self_), .command = message.id, .asker = message.asker};
}

void entity_host::handle(envelope& message, bool receipt_checked) {
  if (message.command.empty()) return wake_up(message);
  if (message.deadline < env_.time.wall()) {
    return release(std::move(message.reply),
                   failure(make_error(base_errc::expired, "the command's deadline has passed"), version_));
  }
  if (message.id && answered_from_receipt(message, receipt_checked)) return;
  run(message);
}

// Looks for proof that the command ran before: first among what may not be readable yet, then in the store.
bool entity_host::answered_from_receipt(envelope& message, bool receipt_checked) {
  drop_settled_receipts();
  if (more_) {
    const auto same = [&](const open_receipt& open) { return open.proof.id == message.id; };
    const auto at = std::find_if(more_->receipts.begin(), more_->receipts.end(), same);
    if (at != more_->receipts.end()) {
      answer_replay(message, at->proof);
      return true;
    }
  }
  if (message.brief) {
    const auto known = env_.journal.recall(self_, message.id);
    if (known.proof) {
      answer_replay(message, *known.proof);
      return true;
    }
    if (!message.doubt) return false;
  }
  // Where an older build led or applied it, the store has the proof of a brief command too.
  const bool is_absent = receipt_checked || env_.store.receipt_presence(self_, message.id) == entity_store::presence::absent;
  if (is_absent) return message.brief && ended_in_doubt(message);
  const ticket since = env_.journal.durable(self_);
  more().lookups.push_back(since);
  const command_id id = message.id;
  env_.store.find_receipt(self_, id, [&box = box_, asked = std::move(message), since](auto found) mutable {
    box.post(receipt_looked_up{std::move(asked), std::move(found), since});
  });
  return true;
}

// Nothing is known of a copy that may have been executed: it was not, if this node remembers as far back as it left.
bool entity_host::ended_in_doubt(envelope& message) {
  const duration_ms waited = message.doubt_as_of ? env_.time.monotonic() - *message.doubt_as_of : duration_ms{0};
  if (env_.journal.recall(self_, message.id).reach >= *message.doubt + waited + doubt_margin) return false;
  release(std::move(message.reply), failure(make_error(base_errc::expired, "what came of it is not remembered"), version_));
  return true;
}

void entity_host::on(receipt_looked_up& message) {
  if (phase_ == phase::gone) {
    say(message.message.reply, failure(not_the_leader(std::nullopt), 0));
  } else if (!message.found) {
    release(std::move(message.message.reply), failure(message.found.error(), version_));
  } else if (*message.found) {
    answer_replay(message.message, **message.found);
  } else {
    handle(message.message, true);
  }
  // Not before: a receipt written since the look-up began is proof that only memory has shown so far.
  auto& under_way = more().lookups;
  under_way.erase(std::find(under_way.begin(), under_way.end(), message.since));
  if (phase_ == phase::gone) leave_if_forgotten();
}

void entity_host::answer_replay(envelope& message, const receipt& proof) {
  if (proof.body != message.body) {
    return release(std::move(message.reply),
                   failure(make_error(base_errc::id_reused, "this key was used for another request"), version_));
  }
  answer got;
  got.version = version_;
  got.replayed = true;
  if (proof.refused != 0) {
    got.failure = error{proof.refused, proof.detail, proof.data};
    return release(std::move(message.reply), std::move(got));
  }
  const auto same = [&](const waiter& w) { return w.message.id == message.id; };
  if (more_ && std::any_of(more_->waiters.begin(), more_->waiters.end(), same)) {
    return release(std::move(message.reply),
                   failure(make_error(base_errc::in_progress, "the same request is still running"), version_));
  }
  if (message.wait > duration_ms{0} && state_->in_progress()) return wait_for_progress(message, true, proof.data);
  auto again = state_->reply_again(message.command, context_for(message), proof.data);
  if (again) {
    got.payload = std::move(*again);
  } else {
    got.failure = std::move(again.error());
  }
  release(std::move(message.reply), std::move(got));
}

void entity_host::run(envelope& message) {
  if (message.expected_version && *message.expected_version != version_) {
    return release(std::move(message.reply),
                   failure(make_error(base_errc::precondition_failed, "the record has changed"), version_));
  }
  OMNICART_CRASH_POINT("before_apply");
  const context ctx = context_for(message);
  const auto read_only = env_.journal.refusing();
  // Where no receipt can be kept nothing is decided: a copy of the command that comes later might fare otherwise.
  if (message.id && read_only) return release(std::move(message.reply), failure(*read_only, version_));
  auto done = state_->execute(message.command, ctx, read_only ? &*read_only : nullptr);
  OMNICART_CRASH_POINT("after_apply");

  journal_item item = begin_item();
  const bool refused = !done.has_value();
  // A refusal of the rules is final for its id; that there is no such record, or a fault, is not.
  const bool final = !refused || done.error().number >= first_module_error;
  // Also where it left nothing: of two copies on their way, the answer of the one that was decided first may arrive after
  // the other has been executed.
  if (message.id && final) {
    item.proof.emplace();
    item.proof->id = message.id;
    item.proof->body = message.body;
    item.brief = message.brief;
    item.proof->expires_at = ctx.now + (message.brief ? limits::brief_receipt_retention : limits::receipt_retention);
    if (refused) {
      item.proof->refused = done.error().number;
      item.proof->detail = done.error().detail;
      item.proof->data = done.error().data;
    } else {
      item.proof->data = done->keepsake;
    }
  }
  if (refused) return commit(std::move(item), std::move(message.reply), failure(done.error(), version_));

  add_events(item, *done, ctx);
  finish_item(item);
  answer got;
  got.payload = std::move(done->reply);
  got.version = version_;
  if (message.wait > duration_ms{0} && state_->in_progress()) {
    wait_for_progress(message, false, std::move(done->keepsake));
    return commit(std::move(item), {}, {});
  }
  commit(std::move(item), std::move(message.reply), std::move(got));
}

bool entity_host::run_internal(const std::string& command, journal_item& item) {
  const context ctx{.now = env_.journal.log_time(self_), .command = {}, .asker = system_caller()};
  const auto read_only = env_.journal.refusing();
  auto done = state_->execute(command, ctx, read_only ? &*read_only : nullptr);
  if (!done || done->events.empty()) return false;
  add_events(item, *done, ctx);
  return true;
}

bool entity_host::still_owes(const std::string& effect_key) const {
  const auto owed = state_->pending(limits::effects_in_flight_max);
  return std::any_of(owed.begin(), owed.end(), [&](const effect& e) { return e.key == effect_key; });
}

// A durable timer is due (or somebody wants to be sure that nothing is).
void entity_host::wake_up(envelope& message) {
  OMNICART_CRASH_POINT("before_wake");
  const timestamp_ms now = env_.journal.log_time(self_);
  const auto due = state_->wake_at();
  journal_item item = begin_item();
  if (due && *due <= now) run_internal(state_->wake_command(), item);
  finish_item(item);
  add_timer_change(item, now);
  answer got;
  got.version = version_;
  commit(std::move(item), std::move(message.reply), std::move(got));
}

// --- what a command leaves behind -----------------------------------------------------------------------------

journal_item entity_host::begin_item() const {
  journal_item item;
  item.entity = self_;
  item.term = term_;
  item.first_version = version_ + 1;
  return item;
}

void entity_host::add_events(journal_item& item, outcome& done, const context& ctx) {
  for (auto& event : done.events) {
    bytes_since_snapshot_ += static_cast<std::uint32_t>(event.size());
    item.events.push_back({.at = ctx.now, .by = ctx.asker, .event = std::move(event)});
  }
  version_ += done.events.size();
  events_since_snapshot_ += static_cast<std::uint32_t>(done.events.size());
}

void entity_host::finish_item(journal_item& item) {
  if (item.events.empty()) return;
  if (state_->blank()) return forget(item);
  add_snapshot_if_due(item);
  add_timer_change(item, item.events.back().at);
  report_memory();
}

void entity_host::add_snapshot_if_due(journal_item& item) {
  if (events_since_snapshot_ < events_per_snapshot_min || bytes_since_snapshot_ < snapshot_bytes_) return;
  OMNICART_CRASH_POINT("before_snapshot");
  state_->check_full();
  item.state = snapshot{.version = version_, .state = state_->encode_state()};
  OMNICART_CRASH_POINT("after_snapshot");
  snapshot_bytes_ = static_cast<std::uint32_t>(item.state->state.size());
  events_since_snapshot_ = 0;
  bytes_since_snapshot_ = 0;
  if (!kind_.keep_history) {
    item.cut_from = kept_from_;
    item.cut_through = version_;
    kept_from_ = version_ + 1;
  }
}

// The entity has ended: nothing of it stays in the store, and whoever comes later finds it as if it had never been.
void entity_host::forget(journal_item& item) {
  item.forgotten = true;
  item.cut_from = kept_from_;
  item.cut_through = item.first_version - 1;
  if (timer_) item.timer = timer_change{.before = timer_, .after = std::nullopt};
  timer_.reset();
  version_ = 0;
  kept_from_ = 1;
  events_since_snapshot_ = 0;
  bytes_since_snapshot_ = 0;
  snapshot_bytes_ = 0;
  report_memory();
}

// One durable timer per entity. It is moved only when it would come too late, or has fired: firing early costs
// one wake-up, moving it with every command would cost two writes each.
void entity_host::add_timer_change(journal_item& item, timestamp_ms now) {
  const bool fired = timer_ && *timer_ <= now;
  auto wanted = state_->wake_at();
  if (!state_->pending(1).empty()) {
    const timestamp_ms retry = now + effect_retry_interval;
    wanted = wanted ? std::min(*wanted, retry) : retry;
  }
  const bool soon_enough = timer_ && wanted && *timer_ <= *wanted && !fired;
  if (soon_enough || timer_ == wanted) return;
  item.timer = timer_change{.before = timer_, .after = wanted};
  timer_ = wanted;
}

void entity_host::commit(journal_item item, reply_fn reply, answer got) {
  const bool nothing = item.events.empty() && !item.proof && !item.timer && !item.state;
  auto waiters = released_waiters();
  auto effects = new_effects();
  if (nothing && waiters.empty() && effects.empty()) return release(std::move(reply), std::move(got));

  if (item.proof) more().receipts.push_back({*item.proof, 0});
  const bool has_proof = item.proof.has_value();
  item.done = [this_out = &env_.out, reply = std::move(reply), got = std::move(got), waiters = std::move(waiters),
               effects = std::move(effects)](status written) mutable {
    const auto let_out = [&](const reply_fn& to, answer what) {
      if (!written) what = failure(written.error(), what.version);
      say(to, std::move(what));
    };
    let_out(reply, std::move(got));
    for (auto& [to, what] : waiters) let_out(to, std::move(what));
    if (!written) return stay_owed(effects, written.error());
    for (auto& effect : effects) {
      OMNICART_CRASH_POINT("before_effect");
      this_out->send(std::move(effect));
      OMNICART_CRASH_POINT("after_effect");
    }
  };
  OMNICART_CRASH_POINT("before_append");
  last_ticket_ = env_.journal.append(std::move(item));
  OMNICART_CRASH_POINT("after_append");
  if (has_proof) more_->receipts.back().position = last_ticket_;
}

void entity_host::release(reply_fn reply, answer got) {
  if (!reply) return;
  if (last_ticket_ <= env_.journal.durable(self_)) {
    // Another node may have decided since, unless this one holds the shard's lease, and in the term of this memory.
    if (env_.journal.term_of(self_) != term_ || !env_.journal.may_answer(self_)) got = failure(not_the_leader(std::nullopt), 0);
    return say(reply, std::move(got));
  }
  journal_item barrier;
  barrier.entity = self_;
  barrier.term = term_;
  barrier.done = [reply = std::move(reply), got = std::move(got)](status written) mutable {
    say(reply, written ? std::move(got) : failure(written.error(), got.version));
  };
  last_ticket_ = env_.journal.append(std::move(barrier));
}

void entity_host::drop_settled_receipts() {
  if (!more_) return;
  ticket readable = env_.journal.durable(self_);
  for (const ticket since : more_->lookups) readable = std::min(readable, since);
  std::erase_if(more_->receipts, [&](const open_receipt& open) { return open.position <= readable; });
}

}  // namespace omnicart
