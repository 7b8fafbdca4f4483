#include "cluster/copy/copy_source.hpp"

#include <rocksdb/db.h>
#include <rocksdb/snapshot.h>

#include <array>
#include <limits>

#include "cluster/copy/record_stream.hpp"
#include "cluster/replica_storage.hpp"
#include "persistence/key_layout.hpp"
#include "persistence/rocksdb_options.hpp"

namespace omnicart::cluster {
namespace {

using persistence::family;

rocksdb::ReadOptions at(rocksdb::ManagedSnapshot& moment) {
  rocksdb::ReadOptions how;
  how.snapshot = moment.snapshot();
  how.total_order_seek = true;
  how.fill_cache = false;
  return how;
}

}  // namespace

copy_source::copy_source(persistence::store& data, const copy_request& wanted)
    : store_(data), wanted_(wanted), moment_(new rocksdb::ManagedSnapshot(&data.db())) {}

copy_source::~copy_source() = default;

result<std::unique_ptr<copy_source>> copy_source::open(persistence::store& data,
                                                       const copy_request& wanted) {
  std::unique_ptr<copy_source> opened(new copy_source(data, wanted));
  if (auto seen = opened->look(); !seen) return fail(seen.error());
  return opened;
}

result<std::optional<std::string>> copy_source::get(family from, const std::string& key) const {
  std::string bytes;
  const auto read = store_.db().Get(at(*moment_), store_.of(from), key, &bytes);
  if (read.IsNotFound()) return std::optional<std::string>();
  if (!read.ok()) return fail(persistence::io_error("cannot read a shard to copy", read));
  return std::optional<std::string>(std::move(bytes));
}

// The only voter writes an entry and its content at once, and nothing says how far the content is.
result<raft::log_index> copy_source::last_logged() const {
  std::unique_ptr<rocksdb::Iterator> log(
      store_.db().NewIterator(at(*moment_), store_.of(family::log)));
  log->SeekForPrev(persistence::log_key(wanted_.shard, std::numeric_limits<std::uint64_t>::max()));
  if (!log->status().ok())
    return fail(persistence::io_error("cannot read a log to copy", log->status()));
  const auto last =
      log->Valid() ? persistence::parse_log_key(log->key().ToStringView()) : std::nullopt;
  return last && last->shard == wanted_.shard ? last->index : 0;
}

status copy_source::look() {
  const auto copying = get(family::meta, copying_key(wanted_.shard));
  const auto applied = get(family::meta, applied_key(wanted_.shard));
  const auto last = last_logged();
  if (!copying) return fail(copying.error());
  if (!applied) return fail(applied.error());
  if (!last) return fail(last.error());
  content_.through = *applied ? persistence::decode_u64(**applied).value_or(0) : *last;
  if (copying->has_value() || content_.through == 0 || content_.through < wanted_.at_least) {
    return fail(base_errc::unavailable, "this node does not have that much of the shard");
  }
  const auto newest = get(family::log, persistence::log_key(wanted_.shard, content_.through));
  if (!newest) return fail(newest.error());
  const auto entry = *newest ? persistence::decode_log_entry(**newest) : fail(base_errc::malformed);
  if (!entry) return fail(base_errc::io, "the last entry that is applied does not read");
  content_.time = entry->time;
  if (wanted_.entry == 0) return {};
  const auto key = persistence::log_key(wanted_.shard, wanted_.entry);
  const auto value = get(family::log, key);
  if (!value) return fail(value.error());
  if (!*value) return fail(base_errc::unavailable, "the wanted entry is cut off");
  append_record(family::log, key, **value, ready_);
  return {};
}

result<std::string> copy_source::next(std::size_t bytes) {
  while (ready_.size() < bytes) {
    const auto more = read_record();
    if (!more) return fail(more.error());
    if (!*more) break;
  }
  auto chunk = ready_.substr(0, bytes);
  ready_.erase(0, chunk.size());
  return chunk;
}

result<bool> copy_source::read_record() {
  for (; family_ < copied_families.size(); ++family_, at_.reset()) {
    const auto which = copied_families[family_];
    if (!at_) {
      at_.reset(store_.db().NewIterator(at(*moment_), store_.of(which)));
      at_->Seek(persistence::shard_key(wanted_.shard));
    }
    if (!at_->status().ok())
      return fail(persistence::io_error("cannot read a shard to copy", at_->status()));
    if (!at_->Valid() || !at_->key().starts_with(persistence::shard_key(wanted_.shard))) continue;
    append_record(which, at_->key().ToStringView(), at_->value().ToStringView(), ready_);
    at_->Next();
    return true;
  }
  return false;
}

}  // namespace omnicart::cluster
