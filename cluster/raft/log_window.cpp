#include "cluster/raft/log_window.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace omnicart::raft {
namespace {

// An entry costs memory even when it has no bytes.
std::size_t cost(const log_entry& entry) {
  return sizeof(log_entry) + (entry.bytes ? entry.bytes->size() : 0);
}

}  // namespace

log_window::log_window(std::size_t bytes_max) : bytes_max_(bytes_max) {}

void log_window::reset(log_index first_index, log_index snapshot_index, term_number snapshot_term) {
  first_ = first_index;
  snapshot_index_ = snapshot_index;
  snapshot_term_ = snapshot_term;
  runs_.clear();
  recent_.clear();
  bytes_ = 0;
}

log_index log_window::last_index() const { return runs_.empty() ? first_ - 1 : runs_.back().last; }

void log_window::note(term_number term) {
  const auto index = last_index() + 1;
  if (runs_.empty() || runs_.back().term != term) {
    runs_.push_back({.last = index, .term = term});
  } else {
    runs_.back().last = index;
  }
}

void log_window::append_stored(term_number term) { note(term); }

void log_window::append(const log_entry& entry) {
  ensure(entry.index == last_index() + 1, "an entry follows the last one");
  note(entry.term);
  recent_.push_back(entry);
  bytes_ += cost(entry);
}

void log_window::truncate(log_index index) {
  while (!recent_.empty() && recent_.back().index >= index) {
    bytes_ -= cost(recent_.back());
    recent_.pop_back();
  }
  while (!runs_.empty()) {
    const auto begins = runs_.size() == 1 ? first_ : runs_[runs_.size() - 2].last + 1;
    if (begins < index) {
      runs_.back().last = std::min(runs_.back().last, index - 1);
      return;
    }
    runs_.pop_back();
  }
}

void log_window::cut(log_index index, log_index snapshot_index, term_number snapshot_term) {
  snapshot_index_ = snapshot_index;
  snapshot_term_ = snapshot_term;
  while (!recent_.empty() && recent_.front().index <= index) {
    bytes_ -= cost(recent_.front());
    recent_.pop_front();
  }
  while (!runs_.empty() && runs_.front().last <= index) runs_.pop_front();
  first_ = std::max(first_, index + 1);
}

void log_window::shrink(log_index stored_index) {
  while (bytes_ > bytes_max_ && !recent_.empty() && recent_.front().index <= stored_index) {
    bytes_ -= cost(recent_.front());
    recent_.pop_front();
  }
}

term_number log_window::term_at(log_index index) const {
  if (index >= first_ && index <= last_index()) {
    return std::ranges::lower_bound(runs_, index, {}, &run::last)->term;
  }
  return index != 0 && index == snapshot_index_ ? snapshot_term_ : 0;
}

std::optional<std::vector<log_entry>> log_window::entries(log_index first,
                                                          std::size_t count) const {
  if (recent_.empty() || first < recent_.front().index || first + count > last_index() + 1)
    return std::nullopt;
  const auto begin = recent_.begin() + static_cast<std::ptrdiff_t>(first - recent_.front().index);
  return std::vector<log_entry>(begin, begin + static_cast<std::ptrdiff_t>(count));
}

}  // namespace omnicart::raft
