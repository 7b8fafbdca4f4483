#include "http/sign_in_guard.hpp"

#include <algorithm>

#include "runtime/base/peer_network.hpp"

namespace omnicart::http {
namespace {

std::string address_key(std::string_view address) {
  return std::to_string(network_of(address).key);
}

// base, 2 base, 4 base, … at most `most`.
duration_ms wait_after(std::int64_t beyond, const sign_in_limits& limits) {
  duration_ms wait = limits.base;
  for (std::int64_t i = 0; i < beyond && wait < limits.most; ++i) wait *= 2;
  return std::min(wait, limits.most);
}

}  // namespace

duration_ms sign_in_guard::tally::wait(const std::string& key, std::int64_t free,
                                       const sign_in_limits& limits, duration_ms now) {
  drop_old(now - limits.forget_after);
  const auto at = by_key_.find(key);
  if (at == by_key_.end() || at->second->wrong < free) return duration_ms{0};
  const duration_ms until = at->second->last + wait_after(at->second->wrong - free, limits);
  return std::max(until - now, duration_ms{0});
}

void sign_in_guard::tally::add(const std::string& key, duration_ms now) {
  auto at = by_key_.find(key);
  if (at == by_key_.end()) {
    entries_.push_back({.key = key});
    at = by_key_.emplace(entries_.back().key, std::prev(entries_.end())).first;
  } else {
    entries_.splice(entries_.end(), entries_, at->second);
  }
  ++at->second->wrong;
  at->second->last = now;
  if (entries_.size() > remembered_max) forget(std::string(entries_.front().key));
}

void sign_in_guard::tally::take_back(const std::string& key) {
  const auto at = by_key_.find(key);
  if (at != by_key_.end() && --at->second->wrong <= 0) forget(key);
}

void sign_in_guard::tally::forget(const std::string& key) {
  const auto at = by_key_.find(key);
  if (at == by_key_.end()) return;
  const auto gone = at->second;
  by_key_.erase(at);  // before the text that it views
  entries_.erase(gone);
}

void sign_in_guard::tally::drop_old(duration_ms before) {
  while (!entries_.empty() && entries_.front().last <= before) {
    by_key_.erase(entries_.front().key);
    entries_.pop_front();
  }
}

std::optional<duration_ms> sign_in_guard::begin(std::string_view account,
                                                std::string_view address) {
  const std::string name(account);
  const std::string from = address_key(address);
  const std::lock_guard held(mutex_);
  const duration_ms now = time_.monotonic();
  const duration_ms wait =
      std::max(accounts_.wait(name, limits_.slow_after_account, limits_, now),
               addresses_.wait(from, limits_.slow_after_address, limits_, now));
  if (wait > duration_ms{0}) return wait;
  accounts_.add(name, now);
  addresses_.add(from, now);
  return std::nullopt;
}

void sign_in_guard::succeeded(std::string_view account, std::string_view address) {
  const std::lock_guard held(mutex_);
  accounts_.forget(std::string(account));
  addresses_.take_back(address_key(address));
}

void sign_in_guard::withdrawn(std::string_view account, std::string_view address) {
  const std::lock_guard held(mutex_);
  accounts_.take_back(std::string(account));
  addresses_.take_back(address_key(address));
}

void sign_in_guard::set_limits(const sign_in_limits& limits) {
  const std::lock_guard held(mutex_);
  limits_ = limits;
}

}  // namespace omnicart::http
