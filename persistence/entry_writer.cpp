#include "persistence/entry_writer.hpp"

#include <rocksdb/write_batch.h>

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace omnicart::persistence {
namespace {

constexpr std::uint64_t point_deletes_max = 1'000;  // a longer cut is one range tombstone

void put_timer(const store& data, std::uint16_t shard, const std::string& prefix,
               const logged_item& item, rocksdb::WriteBatch& out) {
  const entity_ref entity{item.kind, item.id};
  const auto& [before, after] = *item.timer;
  const auto marker = event_key(prefix, timer_marker_version);
  if (before) out.Delete(data.of(family::timers), timer_key(shard, *before, entity));
  if (after) {
    out.Put(data.of(family::timers), timer_key(shard, *after, entity), {});
    out.Put(data.of(family::events), marker, encode_time(*after));
  } else {
    out.Delete(data.of(family::events), marker);
  }
}

void put_cut(const store& data, const std::string& prefix, const logged_item& item,
             rocksdb::WriteBatch& out) {
  auto* events = data.of(family::events);
  const auto first = std::max<std::uint64_t>(item.cut_from, 1);
  const auto last = item.cut_through;
  ensure(last < timer_marker_version, "a cut ends before the timer marker");
  if (last >= first && last - first >= point_deletes_max) {
    out.DeleteRange(events, event_key(prefix, first), event_key(prefix, last + 1));
    return;
  }
  for (auto version = first; version <= last; ++version)
    out.Delete(events, event_key(prefix, version));
}

}  // namespace

void put_item(const store& data, std::uint16_t shard, const std::string& prefix,
              const logged_item& item, rocksdb::WriteBatch& out) {
  auto version = item.first_version;
  for (const auto& record : item.records) {
    if (item.forgotten) break;
    out.Put(data.of(family::events), event_key(prefix, version++), record);
  }
  if (item.forgotten) out.Delete(data.of(family::snapshots), prefix);
  if (item.proof && !item.brief) {
    out.Put(data.of(family::receipts), receipt_key(prefix, item.proof->id), encode(*item.proof));
  }
  if (item.timer) put_timer(data, shard, prefix, item, out);
  if (item.state) out.Put(data.of(family::snapshots), prefix, encode(*item.state));
  if (item.cut_through > 0) put_cut(data, prefix, item, out);
}

void put_items(const store& data, std::uint16_t shard, const log_entry& entry,
               rocksdb::WriteBatch& out) {
  for (const auto& item : entry.items) {
    put_item(data, shard, entity_prefix(shard, {item.kind, item.id}), item, out);
  }
}

}  // namespace omnicart::persistence
