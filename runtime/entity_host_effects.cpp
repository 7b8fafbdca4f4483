#include <algorithm>

#include "runtime/base/limits.hpp"
#include "runtime/crash_point.hpp"
#include "runtime/entity_host.hpp"

// The second half of the host: what outlasts a command (patient callers, effects), and leaving memory.
namespace omnicart {
namespace {

// A delayed message may come this much early; a waiter whose time is that near is let go.
constexpr duration_ms timer_slack{5};
constexpr duration_ms first_retry{50};
constexpr duration_ms last_retry{5'000};

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
    released.emplace_back(std::move(w.message.reply), std::move(got));
    return true;
  });
  return released;
}

void entity_host::on(waiters_due&) {
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
    sent.push_back({.key = owed.key, .attempts = 0, .backing_off = false});
    envelope message;
    message.to = std::move(owed.to);
    message.command = std::move(owed.command);
    message.asker.as = role::system;
    message.wait = owed.wait;
    message.reply = [&box = box_, key = std::move(owed.key)](answer got) {
      box.post(effect_answered{key, std::move(got)});
    };
    messages.push_back(std::move(message));
  }
  return messages;
}

void entity_host::on(effect_answered& message) {
  OMNICART_CRASH_POINT("before_settle");
  auto& sent = more().effects;
  const auto same = [&](const sent_effect& effect) { return effect.key == message.key; };
  const auto at = std::find_if(sent.begin(), sent.end(), same);
  ensure(at != sent.end(), "an answer belongs to an effect that was sent");

  const bool fault = message.got.failure && is_fault(message.got.failure->number);
  std::optional<std::string> command;
  if (!fault) command = state_->settle(message.key, message.got);
  if (!command) return back_off(*at);
  const sent_effect cause = *at;
  sent.erase(at);
  run_internal(*command, &cause);
  OMNICART_CRASH_POINT("after_settle");
}

void entity_host::back_off(sent_effect& effect) {
  const auto factor = std::int64_t{1} << std::min<std::uint32_t>(effect.attempts, 10);
  effect.attempts += 1;
  effect.backing_off = true;
  box_.post_after(std::min(first_retry * factor, last_retry), retry_due{effect.key});
}

void entity_host::on(retry_due& message) {
  auto& sent = more().effects;
  const auto at = std::find_if(sent.begin(), sent.end(), [&](const sent_effect& e) {
    return e.key == message.key && e.backing_off;
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
  barrier.done = [out = &env_.out, effects = std::move(effects)](status written) mutable {
    if (!written) return;
    for (auto& effect : effects) out->send(std::move(effect));
  };
  last_ticket_ = env_.journal.append(std::move(barrier));
}

// --- leaving memory -------------------------------------------------------------------------------------------

bool entity_host::quiet() const {
  if (phase_ == phase::loading || last_ticket_ > env_.journal.durable()) return false;
  if (!more_) return true;
  return more_->stash.empty() && more_->waiters.empty() && more_->effects.empty() && more_->lookups.empty();
}

void entity_host::on(passivation_asked&) {
  if (!quiet()) return;
  OMNICART_CRASH_POINT("before_passivate");
  retired_ = env_.retire(*this);
}

void entity_host::report_memory() {
  if (more_ && more_->stash.empty() && more_->waiters.empty() && more_->effects.empty()) {
    drop_settled_receipts();
    if (more_->receipts.empty() && more_->lookups.empty()) more_.reset();
  }
  const auto now = static_cast<std::uint32_t>(sizeof(*this) + (state_ ? state_->memory_bytes() : 0));
  if (now == resident_) return;
  env_.resident_changed(static_cast<std::int64_t>(now) - static_cast<std::int64_t>(resident_));
  resident_ = now;
}

}  // namespace omnicart
