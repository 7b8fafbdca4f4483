#include "persistence/projection_store.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <limits>

#include "persistence/key_layout.hpp"
#include "persistence/rocksdb_options.hpp"
#include "persistence/shard_log.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::persistence {
namespace {

// The first key behind all rows of a projection: its terminating 00 raised to 01.
std::string end_of(std::string prefix) {
  prefix.back() = '\1';
  return prefix;
}

std::string position_prefix(std::string_view projection) {
  auto key = position_key(projection, 0);
  key.resize(key.size() - 2);
  return key;
}

}  // namespace

projection_store::projection_store(store& data, std::string name)
    : store_(data), name_(std::move(name)) {
  ensure(!name_.empty() && name_.find('\0') == name_.npos, "a projection has a name without NUL");
}

status projection_store::write(const std::vector<change>& rows,
                               const std::vector<position>& positions) {
  rocksdb::WriteBatch out;
  auto* index = store_.of(family::index);
  for (const auto& row : rows) {
    const auto key = row_key(name_, row.key);
    if (row.value) {
      out.Put(index, key, *row.value);
    } else {
      out.Delete(index, key);
    }
  }
  for (const auto& at : positions)
    out.Put(index, position_key(name_, at.shard), encode_u64(at.index));
  const auto done = store_.db().Write({}, &out);
  if (!done.ok()) return fail(io_error("cannot write projection " + name_, done));
  return {};
}

result<std::optional<std::string>> projection_store::get(std::string_view key) const {
  std::string value;
  const auto read = store_.db().Get({}, store_.of(family::index), row_key(name_, key), &value);
  if (read.IsNotFound()) return std::optional<std::string>();
  if (!read.ok()) return fail(io_error("cannot read projection " + name_, read));
  return std::optional<std::string>(std::move(value));
}

status projection_store::scan(
    std::string_view from, std::string_view to,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  return scan_between(from, to, false, visit);
}

status projection_store::scan_back(
    std::string_view from, std::string_view to,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  return scan_between(from, to, true, visit);
}

status projection_store::scan_between(
    std::string_view from, std::string_view to, bool backwards,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  const auto prefix = row_key(name_, {});
  const auto first = row_key(name_, from);
  const auto end = to.empty() ? end_of(prefix) : row_key(name_, to);
  const rocksdb::Slice lower = first;
  const rocksdb::Slice upper = end;
  rocksdb::ReadOptions how;
  how.iterate_lower_bound = &lower;
  how.iterate_upper_bound = &upper;
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator(how, store_.of(family::index)));
  for (backwards ? at->SeekToLast() : at->SeekToFirst(); at->Valid();
       backwards ? at->Prev() : at->Next()) {
    auto key = at->key().ToStringView();
    key.remove_prefix(prefix.size());
    if (!visit(key, at->value().ToStringView())) break;
  }
  if (!at->status().ok()) return fail(io_error("cannot read projection " + name_, at->status()));
  return {};
}

result<std::uint64_t> projection_store::stored_position(std::uint16_t shard) const {
  std::string value;
  const auto read =
      store_.db().Get({}, store_.of(family::index), position_key(name_, shard), &value);
  if (read.IsNotFound()) return 0;
  if (!read.ok()) return fail(io_error("cannot read projection " + name_, read));
  const auto index = decode_u64(value);
  if (!index) return fail(base_errc::io, "projection " + name_ + ": a position is not readable");
  return *index;
}

status projection_store::clear() {
  rocksdb::WriteBatch out;
  for (const auto& prefix : {row_key(name_, {}), position_prefix(name_)}) {
    out.DeleteRange(store_.of(family::index), prefix, end_of(prefix));
  }
  const auto done = store_.db().Write({}, &out);
  if (!done.ok()) return fail(io_error("cannot clear projection " + name_, done));
  return {};
}

result<std::vector<std::uint64_t>> consumed_through(store& data, const std::vector<std::string>& projections) {
  std::vector<std::uint64_t> through(data.group_count(), std::numeric_limits<std::uint64_t>::max());
  for (const auto& name : projections) {
    const projection_store table(data, name);
    for (std::uint16_t shard = 0; shard < through.size(); ++shard) {
      const auto position = table.stored_position(shard);
      if (!position) return fail(position.error());
      through[shard] = std::min(through[shard], *position);
    }
  }
  return through;
}

}  // namespace omnicart::persistence
