#include "cluster/backup/backup_copy.hpp"

#include <rocksdb/db.h>
#include <rocksdb/snapshot.h>

#include <memory>

#include "cluster/backup/chunk_cutter.hpp"
#include "cluster/copy/record_stream.hpp"
#include "persistence/key_layout.hpp"
#include "persistence/rocksdb_options.hpp"

namespace omnicart::cluster {
namespace {

constexpr std::size_t readahead_bytes = std::size_t{1} << 20;

rocksdb::ReadOptions at(const rocksdb::ManagedSnapshot& moment) {
  rocksdb::ReadOptions how;
  how.snapshot = const_cast<rocksdb::ManagedSnapshot&>(moment).snapshot();
  how.total_order_seek = true;
  how.fill_cache = false;  // the shop's own stays
  how.readahead_size = readahead_bytes;
  return how;
}

}  // namespace

result<backed_up_shard> copy_shard(persistence::store& data, const marked_shard& mark,
                                   const rocksdb::ManagedSnapshot& moment, backup_folder& into,
                                   const record_visitor& seen,
                                   const std::function<status(const copy_progress&)>& pace) {
  backed_up_shard made{.shard = mark.at.shard,
                       .index = mark.at.index,
                       .term = mark.at.term,
                       .time = mark.time,
                       .records = 0,
                       .chunks = {}};
  chunk_cutter cutter([&](const std::string& chunk, std::size_t records) -> status {
    chunk_name name{.hash = hash_of(chunk), .bytes = chunk.size()};
    const auto is_new = into.put_chunk(name, chunk);
    if (!is_new) return fail(is_new.error());
    made.records += records;
    made.chunks.push_back(std::move(name));
    return pace({.bytes = chunk.size(), .new_bytes = *is_new ? chunk.size() : 0, .chunks = 1});
  });
  const auto prefix = persistence::shard_key(mark.at.shard);
  for (const auto which : copied_families) {
    std::unique_ptr<rocksdb::Iterator> record(data.db().NewIterator(at(moment), data.of(which)));
    for (record->Seek(prefix); record->Valid() && record->key().starts_with(prefix);
         record->Next()) {
      const auto key = record->key().ToStringView(), value = record->value().ToStringView();
      if (auto told = seen(mark.at.shard, which, key, value); !told) return fail(told.error());
      if (auto added = cutter.add(which, key, value); !added) return fail(added.error());
    }
    if (!record->status().ok())
      return fail(persistence::io_error("cannot read a shard to back up", record->status()));
  }
  if (auto done = cutter.finish(); !done) return fail(done.error());
  return made;
}

}  // namespace omnicart::cluster
