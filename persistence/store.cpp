#include "persistence/store.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "persistence/inline_env.hpp"
#include "persistence/key_layout.hpp"
#include "persistence/rocksdb_options.hpp"

namespace omnicart::persistence {
namespace {

constexpr const char* format_key = "format";
constexpr std::uint16_t shard_count_max = 32'768;
constexpr std::array<const char*, family_count> family_names{
    "default", "log", "events", "snapshots", "receipts", "timers", "index"};

bool is_known(const std::string& name) {
  return std::find(family_names.begin(), family_names.end(), name) != family_names.end();
}

// A directory without CURRENT is new, or a creation was cut short. With tables or logs it has lost
// the file, and RocksDB, told to create, would delete what is left.
status check_nothing_lost(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> files;
  if (const auto listed = env.GetChildren(path, &files); !listed.ok()) {
    return fail(io_error("cannot list " + path, listed));
  }
  for (const auto& name : files) {
    if (name.ends_with(".sst") || name.ends_with(".log")) {
      return fail(base_errc::io,
                  path + " holds " + name + " but no file CURRENT: part of the store is missing");
    }
  }
  return {};
}

// What a killed process had written but not synced is read back at the next start, and answers rest
// on it from then on: it must be on the disk first. Otherwise a loss of power would cut it out from
// under what was synced later. And after a failed sync the machine's memory shows what the disk
// never got, and calls it clean: so it is told to forget, and the disk is read.
status sync_logs(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> files;
  auto done = env.GetChildren(path, &files);
  for (const auto& name : files) {
    if (!done.ok()) break;
    if (!name.ends_with(".log")) continue;
    std::unique_ptr<rocksdb::WritableFile> log;
    done = env.ReopenWritableFile(path + '/' + name, &log, rocksdb::EnvOptions());
    if (done.ok()) done = log->Sync();
    if (done.ok()) done = log->InvalidateCache(0, 0);
    if (done.ok()) done = log->Close();
  }
  std::unique_ptr<rocksdb::Directory> names;
  if (done.ok()) done = env.NewDirectory(path, &names);
  if (done.ok()) done = names->Fsync();
  if (!done.ok()) return fail(io_error("cannot sync the logs of " + path, done));
  return {};
}

error open_error(const std::string& path, const rocksdb::Status& failed) {
  const std::string reason = failed.ToString();
  if (failed.IsIOError() && reason.find("lock") != std::string::npos) {
    return make_error(base_errc::unavailable,
                      path + " is in use by another process (" + reason + ")");
  }
  return io_error("cannot open " + path, failed);
}

}  // namespace

const char* to_string(family which) { return family_names[static_cast<std::size_t>(which)]; }

result<std::unique_ptr<store>> store::open(store_options options, const clock& time) {
  if (options.shard_count == 0 || options.shard_count > shard_count_max) {
    return fail(base_errc::malformed, "shard_count must be between 1 and 32768");
  }
  std::unique_ptr<store> opened(new store(std::move(options), time));
  if (auto done = opened->open_database(); !done) return fail(std::move(done.error()));
  if (auto done = opened->check_format(); !done) return fail(std::move(done.error()));
  return opened;
}

store::store(store_options options, const clock& time) : options_(std::move(options)), time_(time) {
  if (!options_.file_system) return;
  env_ = options_.background == background_work::inline_only
             ? make_inline_env(options_.file_system)
             : rocksdb::NewCompositeEnv(options_.file_system);
}

store::~store() {
  if (!db_) return;
  for (auto* handle : families_) {
    if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle);
  }
}

status store::open_database() {
  auto* env = env_ ? env_.get() : rocksdb::Env::Default();
  const std::string path = options_.directory + "/db";
  const std::string restoring = options_.directory + '/' + restoring_name;
  if (env->FileExists(restoring).ok()) {
    return fail(base_errc::malformed, restoring + ": a backup was being restored here and that did not end; remove all that "
                                                  "is in " + options_.directory + " and restore again");
  }
  for (const auto& directory : {options_.directory, path}) {
    if (const auto made = env->CreateDirIfMissing(directory); !made.ok()) {
      return fail(io_error("cannot make the directory " + directory, made));
    }
  }
  std::vector<std::string> present;
  const auto listed = rocksdb::DB::ListColumnFamilies(
      rocksdb::DBOptions(database_options(options_, env)), path, &present);
  const bool is_new = env->FileExists(path + "/CURRENT").IsNotFound();
  if (!listed.ok() && !is_new) return fail(open_error(path, listed));
  if (is_new) {
    if (auto checked = check_nothing_lost(*env, path); !checked) return checked;
  }
  if (options_.sync && !is_new) {
    if (auto synced = sync_logs(*env, path); !synced) return synced;
  }
  for (const auto& name : present) {
    if (!is_known(name)) {
      return fail(base_errc::malformed,
                  path + " is not an OmniCart store, or a newer one: it has a column family \"" +
                      name + '"');
    }
  }
  return open_families(path, is_new);
}

status store::open_families(const std::string& path, bool is_new) {
  auto* env = env_ ? env_.get() : rocksdb::Env::Default();
  auto db_options = database_options(options_, env);
  db_options.create_if_missing = is_new;
  db_options.create_missing_column_families =
      true;  // also after a crash half way through the creation
  const auto cache = rocksdb::NewLRUCache(options_.block_cache_bytes, -1, false, 0.5);
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  for (std::size_t i = 0; i < family_count; ++i) {
    wanted.emplace_back(family_names[i],
                        family_options(static_cast<family>(i), options_, time_, cache));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto done =
      rocksdb::DB::Open(rocksdb::Options(db_options, {}), path, wanted, &handles, &opened);
  if (!done.ok()) return fail(open_error(path, done));
  db_.reset(opened);
  std::copy(handles.begin(), handles.end(), families_.begin());
  return {};
}

status store::check_format() {
  const std::string path = options_.directory + "/db";
  std::string bytes;
  const auto read = db_->Get({}, of(family::meta), format_key, &bytes);
  if (read.IsNotFound()) return write_format();
  if (!read.ok()) return fail(io_error("cannot read the format of " + path, read));
  const auto format = decode_store_format(bytes);
  if (!format || format->version == 0 || format->shard_count == 0 ||
      format->shard_count > shard_count_max) {
    return fail(base_errc::malformed, path + ": the format record is not readable");
  }
  if (format->version > format_version) {
    return fail(base_errc::malformed, path + " has format " + std::to_string(format->version) +
                                          "; this program reads formats up to " +
                                          std::to_string(format_version));
  }
  shard_count_ = format->shard_count;
  return {};
}

// Only into an empty database: one with data but no format record is somebody else's.
status store::write_format() {
  const std::string path = options_.directory + "/db";
  for (auto* handle : families_) {
    std::unique_ptr<rocksdb::Iterator> any(db_->NewIterator({}, handle));
    any->SeekToFirst();
    if (!any->status().ok()) return fail(io_error("cannot read " + path, any->status()));
    if (any->Valid())
      return fail(base_errc::malformed, path + " holds data but no OmniCart format record");
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const store_format format{.version = format_version, .shard_count = options_.shard_count};
  const auto written = db_->Put(synced, of(family::meta), format_key, encode(format));
  if (!written.ok()) return fail(io_error("cannot write the format of " + path, written));
  shard_count_ = options_.shard_count;
  return {};
}

status store::flush() {
  const auto done = db_->Flush({}, {families_.begin(), families_.end()});
  if (!done.ok()) return fail(io_error("cannot flush " + options_.directory, done));
  return {};
}

status store::compact_receipts() {
  rocksdb::CompactRangeOptions all;
  all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  const auto done = db_->CompactRange(all, of(family::receipts), nullptr, nullptr);
  if (!done.ok()) return fail(io_error("cannot compact receipts", done));
  return {};
}

status store::close() {
  auto flushed = flush();
  for (auto*& handle : families_) db_->DestroyColumnFamilyHandle(std::exchange(handle, nullptr));
  const auto done = db_->Close();
  db_.reset();
  if (!flushed) return flushed;
  if (!done.ok()) return fail(io_error("cannot close " + options_.directory, done));
  return {};
}

result<std::uint64_t> store::free_disk_bytes() const {
  std::uint64_t bytes = 0;
  auto* env = env_ ? env_.get() : rocksdb::Env::Default();
  const auto done = env->GetFreeSpace(options_.directory, &bytes);
  if (!done.ok())
    return fail(io_error("cannot tell the free space of " + options_.directory, done));
  return bytes;
}

std::uint64_t store::receipts_estimate() const {
  std::uint64_t keys = 0;
  db_->GetIntProperty(of(family::receipts), rocksdb::DB::Properties::kEstimateNumKeys, &keys);
  return keys;
}

store_stats store::stats() const {
  using properties = rocksdb::DB::Properties;
  store_stats all;
  const auto sum = [&](const std::string& property) {
    std::uint64_t value = 0;
    db_->GetAggregatedIntProperty(property, &value);
    return value;
  };
  all.memtable_bytes = sum(properties::kCurSizeAllMemTables);
  all.table_reader_bytes = sum(properties::kEstimateTableReadersMem);
  all.table_file_bytes = sum(properties::kTotalSstFilesSize);
  all.pending_compaction_bytes = sum(properties::kEstimatePendingCompactionBytes);
  db_->GetIntProperty(properties::kBlockCacheUsage, &all.block_cache_bytes);
  db_->GetIntProperty(properties::kNumRunningCompactions, &all.running_compactions);
  db_->GetIntProperty(properties::kNumRunningFlushes, &all.running_flushes);
  db_->GetIntProperty(properties::kIsWriteStopped, &all.write_stopped);
  db_->GetIntProperty(properties::kBackgroundErrors, &all.background_errors);
  rocksdb::VectorLogPtr logs;
  if (db_->GetSortedWalFiles(logs).ok()) {
    for (const auto& log : logs) all.wal_bytes += log->SizeFileBytes();
  }
  for (std::size_t i = 0; i < family_count; ++i) {
    db_->GetIntProperty(families_[i], properties::kEstimateNumKeys, &all.keys[i]);
  }
  return all;
}

}  // namespace omnicart::persistence
