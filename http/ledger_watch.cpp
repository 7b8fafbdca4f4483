#include "http/ledger_watch.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "http/blocking_ask.hpp"
#include "http/shop.hpp"
#include "runtime/log.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t asked_at_once = 256;
constexpr duration_ms patience{3'000};

// What is to be done about an order with fresh entries.
enum class finding { known, under_way, unknown };

finding judge(const answer& got, const std::vector<const provider_ledger::entry*>& entries) {
  if (!got.ok()) return got.failure->is(order::errc::no_such_order) ? finding::unknown : finding::under_way;
  const auto here = order::decode_reply(got.payload);
  if (!here || here->owes) return finding::under_way;
  const bool known = std::all_of(entries.begin(), entries.end(), [&](const auto* each) { return knows_of(*here, *each); });
  return known ? finding::known : finding::unknown;
}

}  // namespace

status ledger_watch::look() {
  if (stopping_) return {};
  if (!next_) {
    if (auto begun = begin(); !begun) return begun;
  }
  if (!with_.on_duty()) return {};
  auto read = read_on();
  auto kept = keep_mark();
  return read ? kept : read;
}

status ledger_watch::begin() {
  if (const auto mark = with_.load_mark()) kept_ = *mark;
  const auto last = with_.last();
  if (!last) return fail(last.error());
  const bool other = kept_ > *last + 1;
  if (other) log::warning("the provider's ledger is shorter than it was: looked at from its end on", {{"entries", *last}});
  if (kept_ == 0 || other) {
    kept_ = *last + 1;
    if (auto saved = with_.save_mark(kept_); !saved) return saved;
  }
  next_ = kept_;
  return {};
}

status ledger_watch::read_on() {
  waiting_ = sift(std::exchange(waiting_, {}));
  for (std::size_t pages = 0; pages < pages_max && waiting_.size() < waiting_max && !stopping_; ++pages) {
    auto page = with_.page(*next_);
    if (!page) return fail(page.error());
    if (page->empty()) break;
    const bool last = page->size() < page_entries;
    next_ = page->back().seq + 1;
    entries_ += page->size();
    auto left = sift(std::move(*page));
    waiting_.insert(waiting_.end(), std::make_move_iterator(left.begin()), std::make_move_iterator(left.end()));
    if (last) break;
  }
  waiting_count_ = waiting_.size();
  return {};
}

// What an order on its way may still learn by itself waits for the next look, and so does what could not be mended.
ledger_watch::entries ledger_watch::sift(entries all) {
  std::map<std::string, std::vector<const provider_ledger::entry*>> by_order;
  for (const auto& each : all) by_order[each.key].push_back(&each);
  std::set<std::string> left, unknown;
  for (auto at = by_order.begin(); at != by_order.end();) {
    std::vector<envelope> questions;
    std::vector<decltype(at)> asked;
    for (; at != by_order.end() && asked.size() < asked_at_once; ++at) {
      questions.push_back(engine_question("order", at->first, order::encode(order::get{})));
      asked.push_back(at);
    }
    if (stopping_) return all;
    const auto answers = ask_and_wait(with_.entities, std::move(questions), patience);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const auto& [id, entered] = *asked[i];
      const auto found = judge(answers[i], entered);
      if (found == finding::unknown) unknown.insert(id);
      if (found == finding::under_way) left.insert(id);
    }
  }
  if (!unknown.empty() && !mend(unknown)) left.merge(unknown);
  std::erase_if(all, [&](const auto& each) { return !left.contains(each.key); });
  return all;
}

bool ledger_watch::mend(const std::set<std::string>& orders) {
  const auto read = [this](const std::function<void(const provider_ledger::entry&)>& take) -> status {
    for (std::uint64_t from = 1;;) {
      if (stopping_) return fail(base_errc::shutting_down);
      const auto page = with_.page(from);
      if (!page) return fail(page.error());
      for (const auto& each : *page) take(each);
      if (page->size() < page_entries) return {};
      from = page->back().seq + 1;
    }
  };
  reconciliation both(with_.entities, with_.all, with_.time, read, stopping_);
  const auto report = both.mend(orders);
  if (!report) {
    log::warning("the provider's ledger cannot be compared", {{"code", problem_code(report.error())}, {"why", report.error().detail}});
    return false;
  }
  for (const auto& each : report->findings) {
    mended_ += each.mended;
    log::warning(each.mended ? "the provider's ledger and the orders differed: mended"
                             : "the provider's ledger and the orders differ: see payments reconcile",
                 {{"order", each.order}, {"what", each.what}, {"detail", each.detail}});
  }
  return report->all_agree();
}

// A restart reads again from the first entry that is not done with.
status ledger_watch::keep_mark() {
  std::uint64_t mark = *next_;
  for (const auto& each : waiting_) mark = std::min(mark, each.seq);
  if (mark == kept_) return {};
  auto saved = with_.save_mark(mark);
  if (saved) kept_ = mark;
  return saved;
}

}  // namespace omnicart::http
