#include "persistence/item_queue.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/assert.hpp"

namespace omnicart::persistence {
namespace {

constexpr std::size_t item_overhead_bytes = 200;

bool is_barrier(const journal_item& item) {
  return item.events.empty() && !item.proof && !item.timer && !item.state &&
         item.cut_through == 0 && !item.forgotten;
}

queued_item queued(journal_item item, std::uint16_t shard) {
  queued_item q{.shard = shard, .term = item.term, .bytes = item_overhead_bytes};
  q.barrier = is_barrier(item);
  q.done = std::move(item.done);
  if (q.barrier) return q;
  ensure(item.events.empty() || item.first_version > 0, "events are numbered from 1");
  q.prefix = entity_prefix(shard, item.entity);
  auto& content = q.content;
  for (const auto& record : item.events) {
    content.records.push_back(encode(record));
    q.bytes += 2 * content.records.back().size();  // in the log and on its own
  }
  if (item.state) q.bytes += 2 * item.state->state.size();
  content.kind = std::move(item.entity.kind);
  content.id = std::move(item.entity.id);
  content.first_version = item.first_version;
  content.proof = std::move(item.proof);
  content.brief = item.brief;
  content.timer = item.timer;
  content.state = std::move(item.state);
  content.cut_through = item.cut_through;
  content.cut_from = item.cut_from;
  content.forgotten = item.forgotten;
  return q;
}

}  // namespace

item_queue::item_queue(const store& data, std::size_t items_max, std::size_t bytes_max)
    : store_(data), items_max_(items_max), bytes_max_(bytes_max) {}

ticket item_queue::push(journal_item item) {
  const auto shard = store_.shard_of(item.entity);
  auto q = queued(std::move(item), shard);
  const std::lock_guard lock(mutex_);
  q.number = ++last_ticket_;
  items_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(q.bytes, std::memory_order_relaxed);
  queue_.push_back(std::move(q));
  return last_ticket_;
}

std::vector<queued_item> item_queue::take(std::size_t items_max, std::size_t bytes_max) {
  std::vector<queued_item> taken;
  std::size_t bytes = 0;
  const std::lock_guard lock(mutex_);
  taken.reserve(std::min(queue_.size(), items_max));
  while (!queue_.empty() && taken.size() < items_max && bytes < bytes_max) {
    bytes += queue_.front().bytes;
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  items_.fetch_sub(taken.size(), std::memory_order_relaxed);
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  return taken;
}

bool item_queue::full() const { return items() >= items_max_ || bytes() >= bytes_max_; }

}  // namespace omnicart::persistence
