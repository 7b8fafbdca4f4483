#include "http/reconciliation.hpp"

#include <algorithm>

#include "http/blocking_ask.hpp"
#include "http/provider_word.hpp"
#include "http/server/json_writer.hpp"

namespace omnicart::http {
namespace {

std::string text_of(money amount) {
  return to_decimal(amount) + ' ' + std::string(amount.currency.text());
}

bool has_ended(const order::order_view& here) {
  using s = order::order_status;
  return here.status == s::rejected || here.status == s::declined || here.status == s::cancelled;
}

bool made_here(const order::order_view& here, const std::string& refund_key) {
  const auto& all = here.after.refunds;
  if (refund_key == "cancel") return here.after.remainder_made || here.refunded == here.captured;
  return std::any_of(all.begin(), all.end(), [&](const auto& each) {
    const bool made = each.provider_made || each.status == order::refund_status::made;
    return each.key == refund_key && made;
  });
}

}  // namespace

bool knows_of(const order::order_view& here, const provider_ledger::entry& entry) {
  const auto kind = news_kind_of(entry.kind);
  if (!kind) return true;
  switch (*kind) {
    case payment::news_kind::authorised: {
      const bool settled = here.after.hold == order::holding::voided || here.captured.amount_minor > 0;
      return settled || !has_ended(here);
    }
    case payment::news_kind::captured: return here.captured.amount_minor > 0;
    case payment::news_kind::declined: return here.status != order::order_status::pending;
    case payment::news_kind::voided: return here.after.hold != order::holding::held;
    case payment::news_kind::refunded: return made_here(here, entry.refund_key);
  }
  return true;
}

bool reconciliation_report::all_agree() const {
  return left_out == 0 && std::all_of(findings.begin(), findings.end(), [](const finding& f) { return f.mended; });
}

std::string reconciliation_report::json() const {
  std::string text;
  json_writer json(text);
  json.begin_object().member("agree", all_agree()).member("orders", orders).member("keys", keys);
  json.member("in_flight", in_flight).member("left_out", left_out).key("findings").begin_array();
  for (const auto& each : findings) {
    json.begin_object().member("order_id", each.order).member("what", each.what).member("detail", each.detail);
    json.member("mended", each.mended).end_object();
  }
  json.end_array().end_object();
  return text;
}

std::int64_t reconciliation::account::refunded() const {
  std::int64_t sum = 0;
  for (const auto& [key, refund] : refunds) sum += refund.amount_minor;
  return sum;
}

bool reconciliation::account::holds_something() const {
  return captured.amount_minor > 0 ? captured.amount_minor > refunded() : authorised && !voided;
}

void reconciliation::enter(const provider_ledger::entry& entry) {
  const auto kind = news_kind_of(entry.kind);
  const auto currency = currency_code::parse(entry.currency);
  if (!kind || !currency) return;
  account& at = accounts_[entry.key];
  const money amount{entry.amount, *currency};
  if (!entry.last4.empty()) at.last4 = entry.last4;
  switch (*kind) {
    case payment::news_kind::authorised:
      at.authorised = true;
      at.amount = amount;
      if (at.captured.amount_minor == 0) at.charged_by = entry.seq;
      break;
    case payment::news_kind::captured:
      at.captured = amount;
      at.charged_by = entry.seq;
      break;
    case payment::news_kind::declined:
      at.decline_code = entry.decline_code;
      break;
    case payment::news_kind::voided:
      at.voided = true;
      break;
    case payment::news_kind::refunded:
      at.refunds[entry.refund_key] = amount;
      break;
  }
}

void reconciliation::found(const std::string& id, const char* what, std::string detail, deed done) {
  if (report_.findings.size() >= findings_max) {
    ++report_.left_out;
    return;
  }
  report_.findings.push_back({id, what, std::move(detail), done.mended, done.again});
}

reconciliation::deed reconciliation::carry_out(envelope what) {
  if (how_ == mode::report) return {};
  std::vector<envelope> message;
  message.push_back(std::move(what));
  const answer got = ask_and_wait(entities_, std::move(message), patience_).front();
  if (got.ok()) return {.mended = true};
  return {.again = is_fault(got.failure->number) || got.failure->is(base_errc::expired)};
}

reconciliation::deed reconciliation::tell(const std::string& id, payment::news what) {
  return carry_out(engine_question("order", id, order::encode(order::command{order::payment_told{std::move(what)}})));
}

reconciliation::deed reconciliation::ask_provider(const std::string& id, const payment::command& what) {
  return carry_out(engine_question("payment", id, payment::encode(what)));
}

result<answer> reconciliation::ask_order(const std::string& id) {
  if (stopping_) return fail(base_errc::shutting_down);
  std::vector<envelope> question;
  question.push_back(engine_question("order", id, order::encode(order::get{})));
  return ask_and_wait(entities_, std::move(question), patience_).front();
}

// Only an order's own leader knows that there is none: it may have been placed since, or lie where this node does not
// see it.
status reconciliation::judge_stranger(const std::string& key, const account& at) {
  const auto got = ask_order(key);
  if (!got) return fail(got.error());
  if (got->ok()) return {};
  if (!got->failure->is(order::errc::no_such_order)) return fail(*got->failure);
  if (at.holds_something()) give_back(key, at);
  return {};
}

void reconciliation::give_back(const std::string& key, const account& at) {
  const std::int64_t held = at.captured.amount_minor - at.refunded();
  if (held > 0) {
    const money back{held, at.captured.currency};
    // Another key than the webhook's: it may have given a part back.
    const payment::command what = payment::refund{order_id(key), "no-order-" + std::to_string(held), back};
    found(key, "charged_without_order", text_of(back), ask_provider(key, what));
  } else {
    found(key, "authorised_without_order", text_of(at.amount),
          ask_provider(key, payment::void_charge{order_id(key)}));
  }
}

void reconciliation::leave_strangers(const std::vector<std::string>& keys) {
  report_.halted = true;
  for (const auto& key : keys) {
    const account& at = accounts_[key];
    const bool charged = at.captured.amount_minor > 0;
    const money held{charged ? at.captured.amount_minor - at.refunded() : at.amount.amount_minor,
                     charged ? at.captured.currency : at.amount.currency};
    found(key, charged ? "charged_without_order" : "authorised_without_order", text_of(held), {.again = true});
  }
}

void reconciliation::judge_captured(const std::string& id, const order::order_view& here, const account& there) {
  if (here.captured.amount_minor > 0) return;
  const payment::news told{.kind = payment::news_kind::captured, .amount = there.captured, .last4 = there.last4};
  found(id, here.owes ? "outcome_not_known" : "capture_not_known", text_of(there.captured), tell(id, told));
}

void reconciliation::judge_uncaptured(const std::string& id, const order::order_view& here, const account& there) {
  if (here.captured.amount_minor > 0) {
    suspects_.emplace(id, here);
    return;
  }
  const bool held = there.authorised && !there.voided;
  if (held && has_ended(here) && !here.owes) {
    found(id, "authorisation_left", text_of(there.amount), ask_provider(id, payment::void_charge{order_id(id)}));
  } else if (!there.decline_code.empty() && here.status == order::order_status::pending) {
    const payment::news told{.kind = payment::news_kind::declined,
                             .amount = {},
                             .refund_key = {},
                             .decline_code = there.decline_code,
                             .last4 = there.last4};
    found(id, "outcome_not_known", "declined: " + there.decline_code, tell(id, told));
  } else if (there.voided && here.after.hold == order::holding::held) {
    found(id, "void_not_known", text_of(there.amount), tell(id, {.kind = payment::news_kind::voided}));
  }
}

void reconciliation::judge_refunds(const std::string& id, const order::order_view& here, const account& there) {
  for (const auto& [key, amount] : there.refunds) {
    if (made_here(here, key)) continue;
    const payment::news told{.kind = payment::news_kind::refunded, .amount = amount, .refund_key = key};
    found(id, "refund_not_known", key + ", " + text_of(amount), tell(id, told));
  }
  if (here.refunded.amount_minor > there.refunded()) suspects_.emplace(id, here);
}

// The ledger was read before the orders: what it lacked then it may have now.
status reconciliation::judge_suspects() {
  if (suspects_.empty()) return {};
  accounts_.clear();
  auto read = ledger_([this](const provider_ledger::entry& entry) {
    if (suspects_.contains(entry.key)) enter(entry);
  });
  if (!read) return read;
  for (const auto& [id, here] : suspects_) {
    const account there = accounts_[id];
    if (there.captured.amount_minor < here.captured.amount_minor) {
      found(id, "capture_not_there", text_of(here.captured) + " here, nothing at the provider", {});
    } else if (there.refunded() < here.refunded.amount_minor) {
      found(id, "refund_not_there",
            text_of(here.refunded) + " here, " + text_of({there.refunded(), here.refunded.currency}) +
                " at the provider",
            {});
    }
  }
  return {};
}

// An order that still owes something is asked by nobody else: it will say so itself, or was told by the ledger.
status reconciliation::judge_known(const std::string& id, const answer& got) {
  if (!got.ok()) return fail(*got.failure);
  const auto here = order::decode_reply(got.payload);
  if (!here) return fail(here.error());
  ++report_.orders;
  if (here->owes) ++report_.in_flight;
  const auto at = accounts_.find(id);
  const account there = at == accounts_.end() ? account{} : at->second;
  if (at != accounts_.end()) accounts_.erase(at);
  if (there.captured.amount_minor > 0) {
    judge_captured(id, *here, there);
  } else {
    judge_uncaptured(id, *here, there);
  }
  // Known only since now: the order gives back by itself what it does not keep.
  if (here->captured.amount_minor > 0 && !here->owes) judge_refunds(id, *here, there);
  return {};
}

result<reconciliation_report> reconciliation::run(mode how) {
  how_ = how;
  auto read = ledger_([this](const provider_ledger::entry& entry) { enter(entry); });
  if (!read) return fail(read.error());
  report_.keys = accounts_.size();
  auto judged = walk_.each("order", order::encode(order::get{}),
                           [this](const std::string& id, const answer& got, timestamp_ms) {
                             return judge_known(id, got);
                           });
  if (!judged) return fail(judged.error());
  for (const auto& [key, at] : accounts_) {
    if (auto done = judge_stranger(key, at); !done) return fail(done.error());
  }
  if (auto done = judge_suspects(); !done) return fail(done.error());
  return std::move(report_);
}

result<reconciliation_report> reconciliation::mend(const std::set<std::string>& orders, caution with) {
  how_ = mode::mend;
  auto read = ledger_([&](const provider_ledger::entry& entry) {
    if (orders.contains(entry.key)) enter(entry);
  });
  if (!read) return fail(read.error());
  report_.keys = accounts_.size();
  std::vector<std::string> strangers;
  for (const auto& id : orders) {
    const auto got = ask_order(id);
    if (!got) return fail(got.error());
    if (!got->ok() && got->failure->is(order::errc::no_such_order)) {
      const account& at = accounts_[id];
      if (at.holds_something() && at.charged_by >= with.since) strangers.push_back(id);
    } else if (auto done = judge_known(id, *got); !done) {
      found(id, "not_judged", "the order does not answer", {.again = true});
    }
  }
  if (strangers.size() > with.strangers_max) {
    leave_strangers(strangers);
  } else {
    for (const auto& key : strangers) give_back(key, accounts_[key]);
  }
  if (auto done = judge_suspects(); !done) return fail(done.error());
  return std::move(report_);
}

}  // namespace omnicart::http
