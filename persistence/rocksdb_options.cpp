#include "persistence/rocksdb_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>

#include "persistence/key_layout.hpp"
#include "persistence/receipt_expiry.hpp"

namespace omnicart::persistence {
namespace {

constexpr std::size_t name_begin = 2;  // behind the shard
constexpr double bloom_bits_per_key = 10;
constexpr std::size_t tombstone_window = 4'096;

// Up to and with the 00 that ends the name: all events of an entity share it.
class entity_prefix_transform final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override {
    return "omnicart.entity_prefix";
  }  // stored: never changes meaning
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), length(key)};
  }
  bool InDomain(const rocksdb::Slice& key) const override { return length(key) != 0; }

 private:
  static std::size_t length(const rocksdb::Slice& key) {
    const auto end = key.ToStringView().find('\0', name_begin);
    return end == std::string_view::npos ? 0 : end + 1;
  }
};

// The log of a shard grows at its end, and how far a replica has come is written to the same key again and again: RocksDB
// keeps the place of the last insertion for each of these, and need not look for it in the memtable. Keys of other lengths
// are not in the domain, above all those that begin a DeleteRange (a shard alone): RocksDB keeps ranges in a list of their own,
// where the place of an entry means nothing (its assertion ends the process).
class place_of_last final : public rocksdb::SliceTransform {
 public:
  place_of_last(std::size_t key_bytes, std::size_t place_bytes) : key_bytes_(key_bytes), place_bytes_(place_bytes) {}
  const char* Name() const override { return "omnicart.place_of_last"; }  // not stored
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), place_bytes_}; }
  bool InDomain(const rocksdb::Slice& key) const override { return key.size() == key_bytes_; }

 private:
  std::size_t key_bytes_;
  std::size_t place_bytes_;
};

// Without it RocksDB waits for space after ENOSPC and goes on by itself, whatever
// max_bgerror_resume_count says.
class no_recovery final : public rocksdb::EventListener {
 public:
  const char* Name() const override { return "omnicart.no_recovery"; }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* recover) override {
    *recover = false;
  }
};

class silent_log final : public rocksdb::Logger {
 public:
  silent_log() : Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::CompressionType fast_compression() {
  static const auto chosen = [] {
    const auto supported = rocksdb::GetSupportedCompressions();
    const bool has_lz4 =
        std::find(supported.begin(), supported.end(), rocksdb::kLZ4Compression) != supported.end();
    return has_lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  }();
  return chosen;
}

bool read_by_point(family which) { return which == family::snapshots || which == family::receipts; }

rocksdb::BlockBasedTableOptions table_options(family which,
                                              const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  table.block_cache = cache;
  table.no_block_cache = cache == nullptr;
  // Filters and indexes count against the cache, so that memory has one limit however large the
  // store grows.
  table.cache_index_and_filter_blocks = cache != nullptr;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = cache != nullptr;
  table.whole_key_filtering = read_by_point(which);
  if (read_by_point(which) || which == family::events) {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(bloom_bits_per_key));
  }
  return table;
}

// Nothing runs, opens or measures by itself: an open costs little and the same calls make the same
// files.
void make_inline(rocksdb::DBOptions& db) {
  db.info_log = std::make_shared<silent_log>();
  db.max_file_opening_threads = 1;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.enable_thread_tracking = false;
}

}  // namespace

rocksdb::DBOptions database_options(const store_options& options, rocksdb::Env* env) {
  rocksdb::DBOptions db;
  db.env = env;
  // A failed write or sync is final: what the page cache holds after it cannot be believed.
  db.max_bgerror_resume_count = 0;
  db.listeners.push_back(std::make_shared<no_recovery>());
  db.paranoid_checks = true;
  // A crash may tear the last record of a log; anything else that does not read refuses the start.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.recycle_log_file_num =
      0;  // a recycled file's old records behind the tail would look like new ones
  db.best_efforts_recovery = false;
  db.manual_wal_flush = false;
  db.allow_mmap_writes = false;
  db.max_total_wal_size = options.wal_bytes_max;
  db.db_write_buffer_size = options.memtable_bytes;
  db.avoid_flush_during_recovery = true;  // start first, write tables later
  db.skip_stats_update_on_db_open = true;
  db.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();  // for `store verify`
  db.max_background_jobs = 2;
  db.max_subcompactions = 1;
  db.bytes_per_sync = std::uint64_t{1}
                      << 20;  // tables reach the disk as they grow, not in one burst before a sync
  db.keep_log_file_num = 4;
  db.max_log_file_size = std::size_t{8} << 20;
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  if (options.background == background_work::inline_only) make_inline(db);
  return db;
}

rocksdb::ColumnFamilyOptions family_options(family which, const store_options& options,
                                            const clock& time,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  auto cf = family_options_to_read(which);
  cf.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(which, cache)));
  cf.write_buffer_size = std::max<std::size_t>(options.memtable_bytes / 4, std::size_t{64} << 10);
  cf.max_write_buffer_number = 3;
  cf.compression = fast_compression();
  cf.level_compaction_dynamic_level_bytes = true;
  if (which == family::events || which == family::timers) {
    // Moved timers and cut histories leave tombstones that scans must step over: compact files full
    // of them.
    cf.table_properties_collector_factories.push_back(
        rocksdb::NewCompactOnDeletionCollectorFactory(tombstone_window, tombstone_window / 2));
  }
  if (which == family::log) {
    const auto key_bytes = log_key(0, 1).size();
    cf.memtable_insert_with_hint_prefix_extractor = std::make_shared<place_of_last>(key_bytes, shard_key(0).size());
  }
  if (which == family::meta) {
    const auto key_bytes = applied_prefix.size() + shard_key(0).size();
    cf.memtable_insert_with_hint_prefix_extractor = std::make_shared<place_of_last>(key_bytes, key_bytes);
  }
  if (which == family::events) cf.memtable_prefix_bloom_size_ratio = 0.02;
  if (read_by_point(which)) {
    cf.memtable_prefix_bloom_size_ratio = 0.02;
    cf.memtable_whole_key_filtering = true;
  }
  // What was deleted leaves the files in the end, though nothing is written that would push it out.
  cf.periodic_compaction_seconds = 7 * 24 * 3600;
  if (which == family::receipts) {
    cf.compaction_filter_factory = std::make_shared<receipt_expiry_factory>(time);
    cf.periodic_compaction_seconds =
        6 * 3600;  // so that expired receipts leave though nothing else is written
  }
  if (options.background == background_work::inline_only) {
    cf.disable_auto_compactions = true;
    cf.periodic_compaction_seconds = 0;
    cf.compression = rocksdb::kNoCompression;
    cf.memtable_prefix_bloom_size_ratio = 0;
    cf.arena_block_size = std::size_t{16} << 10;
  }
  return cf;
}

rocksdb::ColumnFamilyOptions family_options_to_read(family which) {
  rocksdb::ColumnFamilyOptions cf;
  cf.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(which, nullptr)));
  if (which == family::events) cf.prefix_extractor = std::make_shared<entity_prefix_transform>();
  return cf;
}

error io_error(const std::string& attempt, const rocksdb::Status& status) {
  return make_error(base_errc::io, attempt + ": " + status.ToString());
}

}  // namespace omnicart::persistence
