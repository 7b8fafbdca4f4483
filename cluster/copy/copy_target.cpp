#include "cluster/copy/copy_target.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>

#include "persistence/key_layout.hpp"
#include "persistence/rocksdb_options.hpp"

namespace omnicart::cluster {

using persistence::family;

status copy_target::wipe() {
  rocksdb::WriteBatch out;
  for (const auto which : copied_families) {
    out.DeleteRange(store_.of(which), persistence::shard_key(wanted_.shard),
                    persistence::end_of_shard(wanted_.shard));
  }
  const auto done = store_.db().Write({}, &out);
  if (!done.ok()) return fail(persistence::io_error("cannot clear a shard", done));
  return {};
}

status copy_target::add(const copy_chunk& chunk) {
  if (chunk.number != chunks_ + 1) return fail(base_errc::malformed, "a chunk is missing");
  ++chunks_;
  rocksdb::WriteBatch out;
  const auto put = [&](family which, std::string_view key, std::string_view value) -> status {
    if (which == family::log && key == persistence::log_key(wanted_.shard, wanted_.entry)) {
      entry_ = value;
      return {};
    }
    const bool is_content =
        std::find(copied_families.begin(), copied_families.end(), which) != copied_families.end();
    if (!is_content || !key.starts_with(persistence::shard_key(wanted_.shard)))
      return fail(base_errc::malformed, "a record that is not of the shard");
    out.Put(store_.of(which), {key.data(), key.size()}, {value.data(), value.size()});
    return {};
  };
  if (auto read = records_.add(chunk.bytes, put); !read) return read;
  const auto done = store_.db().Write({}, &out);
  if (!done.ok()) return fail(persistence::io_error("cannot fill a shard", done));
  return {};
}

result<shard_content> copy_target::finish(const copy_end& end) {
  if (end.chunks != chunks_ || !records_.at_end() || end.content.through < wanted_.at_least ||
      (wanted_.entry != 0 && !persistence::decode_log_entry(entry_))) {
    return fail(base_errc::malformed, "the copy ends before it is whole");
  }
  auto content = end.content;
  content.entry = std::move(entry_);
  return content;
}

}  // namespace omnicart::cluster
