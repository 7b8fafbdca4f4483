#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/entity.hpp"
#include "runtime/clock.hpp"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class FileSystem;
}  // namespace rocksdb

namespace omnicart::persistence {

// Column families, in the order of key_layout.hpp.
enum class family : std::uint8_t { meta, log, events, snapshots, receipts, timers, index };
inline constexpr std::size_t family_count = 7;

// `inline_only`: nothing happens unless a call asks for it (the simulator).
enum class background_work { threads, inline_only };

struct store_options {
  std::string directory;           // the database is DIR/db, made when missing
  std::uint16_t shard_count = 64;  // 1-32768; used at creation, an existing store keeps its own
  std::size_t block_cache_bytes = std::size_t{256} << 20;
  std::size_t memtable_bytes = std::size_t{128} << 20;  // all families together
  std::uint64_t wal_bytes_max = std::uint64_t{64}
                                << 20;  // replayed at a restart after a kill: about 1 s
  std::uint64_t receipts_max = 50'000'000;
  std::uint64_t free_disk_bytes_min = std::uint64_t{512} << 20;
  bool sync = true;  // false only where durability is not the subject of a test
  background_work background = background_work::threads;
  std::shared_ptr<rocksdb::FileSystem> file_system;  // null: the machine's
};

struct store_stats {
  std::uint64_t memtable_bytes = 0;
  std::uint64_t block_cache_bytes = 0;
  std::uint64_t table_reader_bytes = 0;  // index and filter blocks outside the cache
  std::uint64_t table_file_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t pending_compaction_bytes = 0;
  std::uint64_t running_compactions = 0;
  std::uint64_t running_flushes = 0;
  std::uint64_t write_stopped = 0;  // 1: RocksDB holds writes back until compaction has caught up
  std::uint64_t background_errors = 0;
  std::array<std::uint64_t, family_count> keys{};  // estimates
};

// The open RocksDB database of a data directory. Thread-safe; outlives everything that uses it.
class store {
 public:
  // Opens or creates. Errors, each naming directory and reason: unavailable (another process has it
  // open), malformed (not an OmniCart store, another format, a restore
  // that did not end), io (corruption or a failed call).
  // `time` must outlive it.
  static result<std::unique_ptr<store>> open(store_options options, const clock& time);
  ~store();
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  // Orderly stop: memtables become tables, so that the next start replays nothing. No other call
  // after it.
  status close();
  // Memtables to tables now; waits for it.
  status flush();
  // Expired receipts leave the disk now instead of when their files are next compacted; waits for
  // it.
  status compact_receipts();

  std::uint16_t shard_count() const { return shard_count_; }
  // The shop's shards, and one more for the cluster's record.
  std::uint16_t group_count() const { return omnicart::group_count(shard_count_); }
  std::uint16_t shard_of(const entity_ref& entity) const { return group_of(entity, shard_count_); }
  const store_options& options() const { return options_; }

  result<std::uint64_t> free_disk_bytes() const;
  std::uint64_t receipts_estimate() const;
  store_stats stats() const;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* of(family which) const {
    return families_[static_cast<std::size_t>(which)];
  }

 private:
  store(store_options options, const clock& time);
  status open_database();
  status open_families(const std::string& path, bool is_new);
  status check_format();
  status write_format();

  store_options options_;
  const clock& time_;
  std::uint16_t shard_count_ = 0;
  std::unique_ptr<rocksdb::Env> env_;  // null: the machine's
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, family_count> families_{};
};

// Name of a family on disk and in reports.
const char* to_string(family which);

}  // namespace omnicart::persistence
