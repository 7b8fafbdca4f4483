#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "persistence/key_layout.hpp"
#include "persistence/store.hpp"
#include "runtime/journal.hpp"

namespace omnicart::persistence {

// A journal item as the journal's thread wants it: encoded, on the thread that handed it over.
struct queued_item {
  ticket number = 0;
  std::uint16_t shard = 0;
  std::uint64_t term = 0;  // of leadership, in which it was decided
  std::size_t bytes = 0;   // about what it will write
  bool barrier = false;    // nothing to write: it waits for what its shard was handed before
  std::string prefix;      // entity_prefix
  logged_item content;
  std::function<void(status)> done;
};

// What waits for the journal's thread, in the order of tickets. It takes whatever comes; full() is advice to those who
// make new work. Thread-safe.
class item_queue {
 public:
  item_queue(const store& data, std::size_t items_max, std::size_t bytes_max);

  ticket push(journal_item item);
  // At most so many, at least one if any waits.
  std::vector<queued_item> take(std::size_t items_max, std::size_t bytes_max);
  bool full() const;
  std::size_t items() const { return items_.load(std::memory_order_relaxed); }
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  const store& store_;
  const std::size_t items_max_;
  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::deque<queued_item> queue_;
  ticket last_ticket_ = 0;
  std::atomic<std::size_t> items_{0};
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace omnicart::persistence
