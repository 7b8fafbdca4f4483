#include "http/ledger_watch.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "http/blocking_ask.hpp"
#include "http/provider_word.hpp"
#include "http/shop.hpp"
#include "runtime/log.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t asked_at_once = 256;
constexpr duration_ms look_patience{3'000};

enum class finding { known, under_way, unknown };

bool is_charge(const provider_ledger::entry& entry) {
  const auto kind = news_kind_of(entry.kind);
  return kind == payment::news_kind::captured || kind == payment::news_kind::authorised;
}

// What is to be done about an order with fresh entries.
finding judge(const answer& got, const std::vector<provider_ledger::entry>& fresh) {
  if (!got.ok()) {
    if (!got.failure->is(order::errc::no_such_order)) return finding::under_way;
    return std::ranges::any_of(fresh, is_charge) ? finding::unknown : finding::known;
  }
  const auto here = order::decode_reply(got.payload);
  if (!here || here->owes) return finding::under_way;
  const bool known = std::ranges::all_of(fresh, [&](const auto& each) { return knows_of(*here, each); });
  return known ? finding::known : finding::unknown;
}

}  // namespace

status ledger_watch::look() {
  if (stopping_) return {};
  const auto last = with_.last();
  if (!last) return fail(last.error());
  if (!at_) {
    if (auto begun = begin(*last); !begun) return begun;
  }
  if (*last + 1 < at_->next)
    return fail(base_errc::unavailable, "the provider's ledger is shorter than it was: " + std::to_string(*last) +
                                            " entries, and " + std::to_string(at_->next - 1) + " were read");
  if (!with_.on_duty()) {
    follow(*last);
    return keep_mark();
  }
  ends_.clear();
  auto read = read_on(*last);
  auto kept = keep_mark();
  return read ? kept : read;
}

status ledger_watch::begin(std::uint64_t last) {
  auto kept = with_.load_mark();
  if (!kept) return fail(kept.error());
  const bool ours = *kept && (*kept)->provider == with_.provider;
  mark at = ours ? **kept : mark{.provider = with_.provider, .first = last + 1, .next = last + 1};
  if (!ours) {
    if (auto saved = with_.save_mark(at); !saved) return saved;
  }
  kept_ = at;
  at_ = std::move(at);
  return {};
}

// Somebody else looks. Should they end, this node goes on some looks before where the ledger ends now.
void ledger_watch::follow(std::uint64_t last) {
  waiting_.clear();
  waiting_count_ = 0;
  ends_.push_back(last + 1);
  if (ends_.size() <= stand_by_looks) return;
  at_->next = std::max(at_->next, ends_.front());
  ends_.pop_front();
}

status ledger_watch::read_on(std::uint64_t last) {
  suspects found;
  sift(std::exchange(waiting_, {}), found);
  status read;
  for (std::size_t pages = 0; pages < pages_max && at_->next <= last && !stopping_; ++pages) {
    if (waiting_.size() + found.size() >= waiting_max) {
      log::warning("the provider's ledger is not read on: too many entries wait for their orders", {{"waiting", waiting_.size()}});
      break;
    }
    const auto page = with_.page(at_->next);
    if (!page || page->empty()) {
      read = page ? fail(base_errc::unavailable, "the provider's ledger is cut short") : fail(page.error());
      break;
    }
    at_->next = page->back().seq + 1;
    entries_ += page->size();
    sift(*page, found);
  }
  if (!found.empty()) mend(std::move(found), last);
  waiting_count_ = waiting_.size();
  return read;
}

void ledger_watch::sift(const entries& all, suspects& found) {
  suspects by_order;
  std::size_t nameless = 0;
  for (const auto& each : all) {
    const bool good = !each.key.empty() && each.key.size() <= payment_key_bytes_max;
    good ? by_order[each.key].push_back(each) : static_cast<void>(++nameless);
  }
  if (nameless > 0) log::warning("entries of the provider's ledger name no order", {{"entries", nameless}});
  const auto wait = [this](const entries& of) { waiting_.insert(waiting_.end(), of.begin(), of.end()); };
  for (auto at = by_order.begin(); at != by_order.end();) {
    std::vector<envelope> questions;
    std::vector<decltype(at)> asked;
    for (; at != by_order.end() && asked.size() < asked_at_once; ++at) {
      questions.push_back(engine_question("order", at->first, order::encode(order::get{})));
      asked.push_back(at);
    }
    if (stopping_) questions.clear();
    const auto answers = ask_and_wait(with_.entities, std::move(questions), look_patience);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      auto& [id, fresh] = *asked[i];
      const auto what = i < answers.size() ? judge(answers[i], fresh) : finding::under_way;
      if (what == finding::under_way) wait(fresh);
      if (what == finding::unknown) std::ranges::move(fresh, std::back_inserter(found[id]));
    }
  }
}

// What a fault kept from being mended waits for the next look; what was refused is for a person.
void ledger_watch::mend(suspects found, std::uint64_t last) {
  const auto read = [&](const std::function<void(const provider_ledger::entry&)>& take) -> status {
    for (std::uint64_t from = 1; from <= last;) {
      if (stopping_) return fail(base_errc::shutting_down);
      const auto page = with_.page(from);
      if (!page) return fail(page.error());
      if (page->empty()) return fail(base_errc::unavailable, "the provider's ledger is cut short");
      for (const auto& each : *page) take(each);
      from = page->back().seq + 1;
    }
    return {};
  };
  std::set<std::string> orders;
  for (const auto& [id, fresh] : found) orders.insert(id);
  reconciliation both(with_.entities, with_.all, with_.time, read, stopping_, look_patience);
  const auto report = both.mend(orders, {.since = at_->first, .strangers_max = strangers_max});
  if (!report) {
    log::warning("the provider's ledger cannot be compared",
                 {{"code", problem_code(report.error())}, {"why", report.error().detail}});
  } else {
    tell_of(*report);
    std::set<std::string> again;
    for (const auto& each : report->findings) {
      if (each.again) again.insert(each.order);
    }
    std::erase_if(found, [&](const auto& each) { return !again.contains(each.first); });
  }
  for (auto& [id, fresh] : found) std::ranges::move(fresh, std::back_inserter(waiting_));
}

void ledger_watch::tell_of(const reconciliation_report& report) {
  if (report.halted) {
    log::error("charges for no order are not given back: too many at once, is this account this shop's alone? see payments reconcile",
               {{"charges", std::ranges::count_if(report.findings, &reconciliation_report::finding::again) + report.left_out}});
  }
  for (const auto& each : report.findings) {
    mended_ += each.mended;
    if (each.mended) {
      log::warning("the provider's ledger and the orders differed: mended",
                   {{"order", each.order}, {"what", each.what}, {"detail", each.detail}});
    } else if (!each.again) {
      log::warning("the provider's ledger and the orders differ: see payments reconcile",
                   {{"order", each.order}, {"what", each.what}, {"detail", each.detail}});
    }
  }
}

// A restart reads again from the first entry that is not done with.
status ledger_watch::keep_mark() {
  mark now = *at_;
  for (const auto& each : waiting_) now.next = std::min(now.next, each.seq);
  if (now == kept_) return {};
  auto saved = with_.save_mark(now);
  if (saved) kept_ = now;
  return saved;
}

}  // namespace omnicart::http
