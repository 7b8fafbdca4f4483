#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/crash_point.hpp"
#include "runtime/entity_host.hpp"
#include "runtime/placement.hpp"

// The second half of the host: what outlasts a command (patient callers, effects), and leaving memory.
namespace omnicart {
namespace {

// A delayed message may come this much early; a waiter whose time is that near is let go.
constexpr duration_ms timer_slack{5};
constexpr duration_ms first_retry{50};
constexpr duration_ms last_retry{5'000};
// How long an answer to an effect waits for those of the others that are out: taken in together they cost one write.
constexpr duration_ms answers_gather{20};

// For whoever waits for what follows from a command that is in the log: "unavailable" would say that nothing was done,
// and have it done again at the node that leads now.
reply_fn never_undone(reply_fn reply) {
  if (!reply) return reply;
  return [reply = std::move(reply)](answer got) {
    if (got.failure && got.failure->is(base_errc::unavailable))
      got.failure = make_error(base_errc::unknown_outcome, "another node took the lead");
    reply(std::move(got));
  };
}

}  // namespace

// --- patient callers ------------------------------------------------------------------------------------------

void entity_host::wait_for_progress(envelope& message, bool replayed, std::string kept) {
  const duration_ms until = env_.time.monotonic() + message.wait;
  box_.post_after(message.wait, waiters_due{});
  more().waiters.push_back({std::move(message), until, replayed, std::move(kept)});
}

std::vector<std::pair<reply_fn, answer>> entity_host::released_waiters() {
  std::vector<std::pair<reply_fn, answer>> released;
  if (!more_ || more_->waiters.empty()) return released;
  const bool done = !state_->in_progress();
  const duration_ms now = env_.time.monotonic();
  std::erase_if(more_->waiters, [&](waiter& w) {
    if (!done && now + timer_slack < w.until) return false;
    answer got;
    got.version = version_;
    got.replayed = w.replayed;
    auto reply = state_->reply_again(w.message.command, context_for(w.message), w.kept);
    if (reply) {
      got.payload = std::move(*reply);
    } else {
      got.failure = std::move(reply.error());
    }
    released.emplace_back(never_undone(std::move(w.message.reply)), std::move(got));
    return true;
  });
  return released;
}

void entity_host::on(waiters_due&) {
  if (phase_ == phase::gone) return;
  for (auto& [reply, got] : released_waiters()) release(std::move(reply), std::move(got));
}

// --- effects --------------------------------------------------------------------------------------------------

// The effects that are owed and not out yet, as envelopes; marks them as out.
std::vector<envelope> entity_host::new_effects() {
  std::vector<envelope> messages;
  const std::size_t out_now = more_ ? more_->effects.size() : 0;
  if (out_now >= limits::effects_in_flight_max) return messages;
  for (auto& owed : state_->pending(limits::effects_in_flight_max)) {
    const auto same = [&](const sent_effect& sent) { return sent.key == owed.key; };
    auto& sent = more().effects;
    const auto at = std::find_if(sent.begin(), sent.end(), same);
    if (at != sent.end() || sent.size() >= limits::effects_in_flight_max) continue;
    sent.push_back({.key = owed.key});
    envelope message;
    message.to = std::move(owed.to);
    message.command = std::move(owed.command);
    message.asker.as = role::system;
    message.repeatable = true;  // receivers of effects are idempotent
    message.wait = owed.wait;
    message.reply = [&box = box_, key = std::move(owed.key)](answer got) {
      box.post(effect_answered{key, std::move(got)});
    };
    messages.push_back(std::move(message));
  }
  return messages;
}

// A leader may be refused for a moment, when others do not hear it, and go on in the same term.
void entity_host::stay_owed(const std::vector<envelope>& effects, const error& why) {
  for (const auto& effect : effects) effect.reply({.failure = why});
}

entity_host::sent_effect& entity_host::sent(const std::string& effect_key) {
  auto& all = more().effects;
  const auto at = std::find_if(all.begin(), all.end(), [&](const auto& e) { return e.key == effect_key; });
  ensure(at != all.end(), "an answer belongs to an effect that was sent");
  return *at;
}

void entity_host::on(effect_answered& message) {
  if (phase_ == phase::gone) {
    std::erase_if(more().effects, [&](const sent_effect& e) { return e.key == message.key; });
    return leave_if_forgotten();
  }
  OMNICART_CRASH_POINT("before_settle");
  auto& effect = sent(message.key);
  if (message.got.failure && is_fault(message.got.failure->number)) return back_off(effect);
  effect.phase = effect_phase::answered;
  more().answers.push_back(std::move(message));
  if (!awaits_more_answers()) return take_answers();
  if (more_->answers.size() == 1) box_.post_after(answers_gather, answers_due{});
}

void entity_host::on(answers_due&) {
  if (phase_ != phase::gone && more_ && !more_->answers.empty()) take_answers();
}

bool entity_host::awaits_more_answers() const {
  const auto& all = more_->effects;
  return std::any_of(all.begin(), all.end(), [](const auto& e) { return e.phase == effect_phase::out; });
}

void entity_host::take_answers() {
  journal_item item = begin_item();
  for (const auto& message : std::exchange(more().answers, {})) take_answer(message, item);
  finish_item(item);
  commit(std::move(item), {}, {});
  OMNICART_CRASH_POINT("after_settle");
}

// An effect that is owed although its answer changed nothing is tried again later.
void entity_host::take_answer(const effect_answered& message, journal_item& item) {
  const auto command = state_->settle(message.key, message.got);
  const bool changed = command && run_internal(*command, item);
  auto& effect = sent(message.key);
  if (!changed && (!command || still_owes(message.key))) return back_off(effect);
  std::erase_if(more().effects, [&](const sent_effect& e) { return e.key == message.key; });
}

void entity_host::back_off(sent_effect& effect) {
  const auto factor = std::int64_t{1} << std::min<std::uint32_t>(effect.attempts, 10);
  effect.attempts += 1;
  effect.phase = effect_phase::backing_off;
  box_.post_after(std::min(first_retry * factor, last_retry), retry_due{effect.key});
}

void entity_host::on(retry_due& message) {
  if (phase_ == phase::gone) return;
  auto& sent = more().effects;
  const auto at = std::find_if(sent.begin(), sent.end(), [&](const sent_effect& e) {
    return e.key == message.key && e.phase == effect_phase::backing_off;
  });
  if (at == sent.end()) return;
  const std::uint32_t attempts = at->attempts;
  sent.erase(at);
  auto effects = new_effects();
  for (auto& effect : sent) {
    if (effect.key == message.key) effect.attempts = attempts;
  }
  if (effects.empty()) return;
  journal_item barrier;
  barrier.entity = self_;
  barrier.term = term_;
  barrier.done = [out = &env_.out, effects = std::move(effects)](status written) mutable {
    if (!written) return stay_owed(effects, written.error());
    for (auto& effect : effects) out->send(std::move(effect));
  };
  last_ticket_ = env_.journal.append(std::move(barrier));
}

// --- leaving memory -------------------------------------------------------------------------------------------

bool entity_host::quiet() const {
  if (phase_ == phase::loading || last_ticket_ > env_.journal.durable(self_)) return false;
  if (!more_) return true;
  return more_->stash.empty() && more_->waiters.empty() && more_->effects.empty() && more_->lookups.empty();
}

void entity_host::on(passivation_asked&) {
  if (phase_ == phase::gone || !quiet()) return;
  OMNICART_CRASH_POINT("before_passivate");
  retired_ = env_.retire(*this);
}

// What this node decided may never have counted. Whoever waits asks again and finds out; commands with an id are
// decided once, wherever they arrive.
void entity_host::on(leadership_lost&) {
  phase_ = phase::gone;
  state_.reset();
  if (more_) {
    for (auto& envelope : std::exchange(more_->stash, {})) {
      env_.handled(*this);
      if (envelope.reply) envelope.reply({.failure = not_the_leader(std::nullopt)});
    }
    for (auto& waiting : std::exchange(more_->waiters, {})) {
      if (!waiting.message.reply) continue;
      waiting.message.reply({.failure = make_error(base_errc::unknown_outcome, "another node took the lead")});
    }
    std::erase_if(more_->effects, [](const sent_effect& e) { return e.phase != effect_phase::out; });
    more_->answers.clear();
    more_->receipts.clear();
  }
  leave_if_forgotten();
}

void entity_host::leave_if_forgotten() {
  const bool awaited = more_ && (!more_->effects.empty() || !more_->lookups.empty());
  if (!awaited && !loads_) retired_ = env_.retire(*this);
}

void entity_host::drop_empty_extras() {
  if (!more_ || !more_->stash.empty() || !more_->waiters.empty() || !more_->effects.empty()) return;
  drop_settled_receipts();
  if (more_->receipts.empty() && more_->lookups.empty()) more_.reset();
}

void entity_host::report_memory() {
  drop_empty_extras();
  const auto now = static_cast<std::uint32_t>(sizeof(*this) + (state_ ? state_->memory_bytes() : 0));
  if (now == resident_) return;
  env_.resident_changed(static_cast<std::int64_t>(now) - static_cast<std::int64_t>(resident_));
  resident_ = now;
}

}  // namespace omnicart
