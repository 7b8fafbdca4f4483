#include "tools/pay/provider_rules.hpp"

#include <algorithm>
#include <array>

#include "runtime/base/assert.hpp"

namespace omnicart::pay {
namespace {

verdict refuse(refusal why, delivery how = delivery::normal) {
  return {tl::make_unexpected(why), how};
}

bool same_content(const charge_record& known, const charge_request& asked) {
  return known.amount == asked.amount && known.how == asked.how &&
         known.card == card_of(asked.token);
}

outcome captured_outcome(const charge_record& known) {
  return {.status = charge_status::captured,
          .amount = known.amount,
          .last4 = last4_of(known.how, known.card)};
}

outcome authorised_outcome(const charge_record& known) {
  return {.status = charge_status::authorised,
          .amount = known.amount,
          .last4 = last4_of(known.how, known.card)};
}

bool is_slow(test_card card) {
  return card == test_card::slow || card == test_card::slow_declined;
}

outcome declined_outcome(const charge_record& known) {
  return {.status = charge_status::declined,
          .amount = known.amount,
          .last4 = last4_of(known.how, known.card),
          .declined = known.declined};
}

outcome refunded_outcome(const money& amount) {
  return {.status = charge_status::refunded, .amount = amount};
}

}  // namespace

bool is_key(std::string_view text) {
  return !text.empty() && text.size() <= key_bytes_max && std::ranges::all_of(text, [](char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
}

verdict provider_book::handle(const request& asked, timestamp_ms now, entries& made) {
  if (const auto* what = std::get_if<charge_request>(&asked)) return charge(*what, now, made);
  if (const auto* what = std::get_if<void_request>(&asked)) return void_charge(*what, now, made);
  if (const auto* what = std::get_if<capture_request>(&asked)) return capture(*what, now, made);
  return refund(std::get<refund_request>(asked), now, made);
}

verdict provider_book::charge(const charge_request& asked, timestamp_ms now, entries& made) {
  if (!is_key(asked.key) || asked.amount.amount_minor < 0) return refuse(refusal::malformed);
  if (asked.how != method::card && asked.how != method::paypal)
    return refuse(refusal::unknown_method);
  if (const auto* known = find(asked.key)) return charge_again(*known, asked, now, made);
  return charge_first(asked, now, made);
}

verdict provider_book::charge_again(const charge_record& known, const charge_request& asked,
                                    timestamp_ms now, entries& made) {
  if (known.state == key_state::voided) return refuse(refusal::voided);
  if (!same_content(known, asked)) return refuse(refusal::key_reused);
  if (known.state == key_state::declined) return {declined_outcome(known)};
  const bool later = asked.mode == capture_mode::later;
  if (known.state == key_state::authorised && later) return {authorised_outcome(known)};
  if (known.state == key_state::authorised) {  // a crash tore the capture off its authorisation
    if (would_overflow(known.amount))
      return refuse(refusal::no_answer, delivery::none);  // it can still be voided
    record({.kind = entry_kind::capture,
            .key = asked.key,
            .amount = known.amount,
            .how = known.how,
            .card = known.card},
           now, made);
  }
  return {captured_outcome(known)};
}

verdict provider_book::charge_first(const charge_request& asked, timestamp_ms now, entries& made) {
  const test_card card = card_of(asked.token);
  if (card == test_card::timeout_before && !unanswered_.contains(asked.key)) {
    if (unanswered_.size() >= unanswered_keys_max)
      unanswered_.clear();  // they only time out once more
    unanswered_.insert(asked.key);
    return refuse(refusal::no_answer, delivery::none);
  }
  unanswered_.erase(asked.key);
  if (is_slow(card) && (pending_.contains(asked.key) || pending_.size() < pending_keys_max))
    return put_off(asked, now);
  return decide(asked, now, made);
}

verdict provider_book::put_off(const charge_request& asked, timestamp_ms now) {
  pending_.try_emplace(asked.key, undecided{asked, now + pending_for});
  return refuse(refusal::pending);
}

void provider_book::decide_due(timestamp_ms now, entries& made) {
  for (auto at = pending_.begin(); at != pending_.end();) {
    if (at->second.due > now) {
      ++at;
      continue;
    }
    const charge_request asked = std::move(at->second.asked);
    at = pending_.erase(at);
    decide(asked, now, made);
  }
}

verdict provider_book::capture(const capture_request& asked, timestamp_ms now, entries& made) {
  if (!is_key(asked.key) || asked.amount.amount_minor < 0) return refuse(refusal::malformed);
  const auto* known = find(asked.key);
  if (known && known->state == key_state::voided) return refuse(refusal::voided);
  const bool holds = known && known->amount == asked.amount &&
                     (known->state == key_state::captured || known->state == key_state::authorised);
  if (!holds) return refuse(refusal::not_authorised);
  if (known->state == key_state::captured) return {captured_outcome(*known)};
  if (would_overflow(known->amount)) return refuse(refusal::no_answer, delivery::none);
  record({.kind = entry_kind::capture,
          .key = asked.key,
          .amount = known->amount,
          .how = known->how,
          .card = known->card},
         now, made);
  return {captured_outcome(*find(asked.key))};
}

verdict provider_book::decide(const charge_request& asked, timestamp_ms now, entries& made) {
  const test_card card = card_of(asked.token);
  entry what{.kind = entry_kind::authorisation,
             .key = asked.key,
             .amount = asked.amount,
             .how = asked.how,
             .card = card};
  if (card == test_card::invalid) what.declined = decline_reason::invalid_token;
  if (card == test_card::declined || card == test_card::slow_declined)
    what.declined = decline_reason::card_declined;
  if (what.declined == decline_reason::none && would_overflow(asked.amount)) {
    what.declined = decline_reason::amount_too_large;
  }
  if (what.declined != decline_reason::none) {
    what.kind = entry_kind::decline;
    record(std::move(what), now, made);
    return {declined_outcome(*find(asked.key))};
  }
  record(what, now, made);
  if (asked.mode == capture_mode::later)
    return {authorised_outcome(*find(asked.key)), first_answer_of(card)};
  what.kind = entry_kind::capture;
  record(std::move(what), now, made);
  return {captured_outcome(*find(asked.key)), first_answer_of(card)};
}

verdict provider_book::void_charge(const void_request& asked, timestamp_ms now, entries& made) {
  if (!is_key(asked.key)) return refuse(refusal::malformed);
  const auto* known = find(asked.key);
  if (known && known->state == key_state::captured) return refuse(refusal::captured);
  if (!known || known->state != key_state::voided) {
    unanswered_.erase(asked.key);
    pending_.erase(asked.key);
    record({.kind = entry_kind::void_charge, .key = asked.key}, now, made);
  }
  return {outcome{.status = charge_status::voided}};
}

verdict provider_book::refund(const refund_request& asked, timestamp_ms now, entries& made) {
  if (!is_key(asked.key) || !is_key(asked.refund_key) || asked.amount.amount_minor < 0) {
    return refuse(refusal::malformed);
  }
  const auto* known = find(asked.key);
  if (!known || known->state != key_state::captured) return refuse(refusal::not_captured);
  for (const auto& [key, minor] : known->refunds) {
    if (key != asked.refund_key) continue;
    if (money{minor, known->amount.currency} != asked.amount) return refuse(refusal::key_reused);
    return {refunded_outcome(asked.amount)};
  }
  const bool fits = asked.amount.currency == known->amount.currency &&
                    asked.amount.amount_minor <= known->amount.amount_minor - known->refunded_minor;
  if (!fits || known->refunds.size() >= refunds_per_charge_max) return refuse(refusal::over_refund);
  record({.kind = entry_kind::refund,
          .key = asked.key,
          .amount = asked.amount,
          .how = known->how,
          .card = known->card,
          .refund_key = asked.refund_key},
         now, made);
  return {refunded_outcome(asked.amount)};
}

void provider_book::record(entry what, timestamp_ms now, entries& made) {
  what.seq = last_seq() + 1;
  what.at = std::max(now, last_at_);
  ensure(apply(what), "an entry decided by the rules applies");
  made.push_back(std::move(what));
}

bool provider_book::would_overflow(const money& amount) const {
  const auto found = summary_.totals.find(std::string(amount.currency.text()));
  return found != summary_.totals.end() &&
         !add({found->second.captured_minor, amount.currency}, amount);
}

const charge_record* provider_book::find(const std::string& key) const {
  const auto found = charges_.find(key);
  return found == charges_.end() ? nullptr : &found->second;
}

bool provider_book::apply(const entry& what) {
  if (what.seq != last_seq() + 1 || what.at < last_at_ || !is_key(what.key) ||
      what.amount.amount_minor < 0) {
    return false;
  }
  const auto apply_kind = [&] {
    switch (what.kind) {
      case entry_kind::authorisation:
        return apply_authorisation(what);
      case entry_kind::capture:
        return apply_capture(what);
      case entry_kind::decline:
        return apply_decline(what);
      case entry_kind::void_charge:
        return apply_void(what);
      case entry_kind::refund:
        return apply_refund(what);
    }
    return false;
  };
  if (!apply_kind()) return false;
  summary_.entries = what.seq;
  last_at_ = what.at;
  return true;
}

bool provider_book::apply_authorisation(const entry& what) {
  const charge_record fresh{
      .state = key_state::authorised, .amount = what.amount, .how = what.how, .card = what.card};
  if (!charges_.try_emplace(what.key, fresh).second) return false;
  ++summary_.authorisations;
  return true;
}

bool provider_book::apply_capture(const entry& what) {
  const auto found = charges_.find(what.key);
  if (found == charges_.end() || found->second.state != key_state::authorised ||
      found->second.amount != what.amount || would_overflow(what.amount)) {
    return false;
  }
  found->second.state = key_state::captured;
  summary_.totals[std::string(what.amount.currency.text())].captured_minor +=
      what.amount.amount_minor;
  ++summary_.captures;
  return true;
}

bool provider_book::apply_decline(const entry& what) {
  const charge_record fresh{.state = key_state::declined,
                            .amount = what.amount,
                            .how = what.how,
                            .card = what.card,
                            .declined = what.declined};
  if (!charges_.try_emplace(what.key, fresh).second) return false;
  ++summary_.declines;
  return true;
}

bool provider_book::apply_void(const entry& what) {
  auto& known =
      charges_.try_emplace(what.key, charge_record{.state = key_state::authorised}).first->second;
  if (known.state == key_state::captured || known.state == key_state::voided) return false;
  known.state = key_state::voided;
  ++summary_.voids;
  return true;
}

bool provider_book::apply_refund(const entry& what) {
  const auto found = charges_.find(what.key);
  if (found == charges_.end() || found->second.state != key_state::captured) return false;
  auto& known = found->second;
  if (what.amount.currency != known.amount.currency ||
      what.amount.amount_minor > known.amount.amount_minor - known.refunded_minor) {
    return false;
  }
  known.refunded_minor += what.amount.amount_minor;
  known.refunds.emplace_back(what.refund_key, what.amount.amount_minor);
  summary_.totals[std::string(what.amount.currency.text())].refunded_minor +=
      what.amount.amount_minor;
  ++summary_.refunds;
  return true;
}

}  // namespace omnicart::pay
