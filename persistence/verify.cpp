#include "persistence/verify.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/sst_file_reader.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "persistence/inline_env.hpp"
#include "persistence/key_layout.hpp"
#include "persistence/record_log.hpp"
#include "persistence/rocksdb_options.hpp"
#include "persistence/store_content.hpp"

namespace omnicart::persistence {
namespace {

class file_checker {
 public:
  file_checker(rocksdb::Env& env, std::string path, verify_report& report)
      : env_(env), path_(std::move(path)), report_(report) {}

  // Manifest and write-ahead logs, as files.
  void check_logs() {
    std::vector<std::string> names;
    if (const auto listed = env_.GetChildren(path_, &names); !listed.ok()) {
      return report_.add(path_, listed.ToString());
    }
    std::sort(names.begin(), names.end());
    check_manifest(names);
    for (const auto& name : names) {
      if (!name.ends_with(".log")) continue;
      ++report_.wal_files;
      report_.wal_records += check_log(name);
    }
  }

  // Every byte of every table against the checksum that the manifest has for it.
  void check_tables(rocksdb::DB& db) {
    std::vector<rocksdb::LiveFileMetaData> tables;
    db.GetLiveFilesMetaData(&tables);
    for (const auto& table : tables) {
      ++report_.table_files;
      const auto name = table.name.substr(table.name.find_first_not_of('/'));
      if (table.file_checksum_func_name != checksums_->Name() &&
          table.file_checksum_func_name != "FileChecksumCrc32c") {
        report_.add(name, "the manifest has no checksum for it");
        continue;
      }
      const auto bytes = read(name);
      if (bytes && checksum(name, *bytes) != table.file_checksum) {
        report_.add(name, "the checksum of the file does not match the manifest's (family " +
                              table.column_family_name + ')');
      }
    }
  }

  // Of a store that does not open: which tables cannot be read, by their own checksums. RocksDB names another file.
  void check_tables_alone() {
    std::vector<std::string> names;
    if (!env_.GetChildren(path_, &names).ok()) return;
    std::sort(names.begin(), names.end());
    rocksdb::Options how;
    how.env = &env_;
    for (const auto& name : names) {
      if (!name.ends_with(".sst")) continue;
      rocksdb::SstFileReader table(how);
      auto done = table.Open(path_ + '/' + name);
      if (done.ok()) done = table.VerifyChecksum();
      if (!done.ok()) report_.add(name, done.ToString());
    }
  }

 private:
  std::optional<std::string> read(const std::string& name) {
    std::string bytes;
    const auto done = rocksdb::ReadFileToString(&env_, path_ + '/' + name, &bytes);
    if (done.ok()) return bytes;
    report_.add(name, done.ToString());
    return std::nullopt;
  }

  std::string checksum(const std::string& name, const std::string& bytes) {
    rocksdb::FileChecksumGenContext context;
    context.file_name = name;
    const auto sum = checksums_->CreateFileChecksumGenerator(context);
    sum->Update(bytes.data(), bytes.size());
    sum->Finalize();
    return sum->GetChecksum();
  }

  void check_manifest(const std::vector<std::string>& names) {
    auto current = read("CURRENT");
    if (!current) return;
    if (current->empty() || current->back() != '\n')
      return report_.add("CURRENT", "does not end in a new line");
    current->pop_back();
    if (!std::binary_search(names.begin(), names.end(), *current) ||
        !current->starts_with("MANIFEST-")) {
      return report_.add("CURRENT", "names no manifest that is there");
    }
    check_log(*current);
  }

  std::uint64_t check_log(const std::string& name) {
    const auto bytes = read(name);
    if (!bytes) return 0;
    const auto scan = scan_record_log(*bytes);
    for (const auto& damage : scan.damages) {
      report_.add(name + " at byte " + std::to_string(damage.offset), damage.what);
    }
    if (scan.torn_at) {
      report_.notes.push_back(name + " ends within a record, at byte " +
                              std::to_string(*scan.torn_at) + ": a write that a crash cut short");
    }
    return scan.records;
  }

  rocksdb::Env& env_;
  const std::string path_;
  verify_report& report_;
  const std::shared_ptr<rocksdb::FileChecksumGenFactory> checksums_ =
      rocksdb::GetFileChecksumGenCrc32cFactory();
};

// The database with all families, opened for reading; closes them.
class read_only_database {
 public:
  rocksdb::Status open(rocksdb::Env& env, const std::string& path) {
    store_options options;
    options.background = background_work::inline_only;  // no log file: nothing is changed
    auto db_options = database_options(options, &env);
    db_options.max_open_files = 64;
    std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
    for (std::size_t i = 0; i < family_count; ++i) {
      const auto which = static_cast<family>(i);
      wanted.emplace_back(to_string(which), family_options_to_read(which));
    }
    rocksdb::DB* opened = nullptr;
    const auto done = rocksdb::DB::OpenForReadOnly(rocksdb::Options(db_options, {}), path, wanted,
                                                   &families, &opened);
    db.reset(opened);
    return done;
  }
  ~read_only_database() {
    for (auto* handle : families) db->DestroyColumnFamilyHandle(handle);
  }

  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
};

class file_lock {
 public:
  file_lock(rocksdb::Env& env, const std::string& path)
      : env_(env), taken(env.LockFile(path, &lock_)) {}
  ~file_lock() {
    if (lock_ != nullptr) env_.UnlockFile(lock_);
  }
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;

 private:
  rocksdb::Env& env_;
  rocksdb::FileLock* lock_ = nullptr;

 public:
  const rocksdb::Status taken;
};

// RocksDB has one code for a lock that somebody holds and for one that cannot be opened.
tl::unexpected<error> why_not_locked(const std::string& path, const rocksdb::Status& why) {
  const std::string text = why.ToString();
  if (text.find("while open a file for lock") != text.npos) {
    return fail(base_errc::io, path + ": cannot be locked: " + text);
  }
  return fail(base_errc::unavailable, path + " is in use by another process (" + text + ')');
}

}  // namespace

void verify_report::add(std::string where, std::string what) {
  ++problem_count;
  if (problems.size() < problems_max)
    problems.push_back({.where = std::move(where), .what = std::move(what)});
}

result<verify_report> verify(const std::string& directory,
                             std::shared_ptr<rocksdb::FileSystem> file_system) {
  const auto owned = file_system ? make_inline_env(std::move(file_system)) : nullptr;
  auto& env = owned ? *owned : *rocksdb::Env::Default();
  const std::string path = directory + "/db";
  if (!owned) {  // RocksDB calls a folder that it may not look into one that is not there
    std::error_code hidden;
    static_cast<void>(std::filesystem::exists(path, hidden));
    if (hidden) return fail(base_errc::io, path + ": cannot be looked into: " + hidden.message());
  }
  if (!env.FileExists(path).ok()) return fail(base_errc::not_found, path + ": there is no store");
  const file_lock lock(env, path + "/LOCK");
  if (!lock.taken.ok()) return why_not_locked(path, lock.taken);
  verify_report report;
  file_checker files(env, path, report);
  files.check_logs();
  read_only_database opened;
  if (const auto done = opened.open(env, path); !done.ok()) {
    report.add(path, "does not open: " + done.ToString());
    files.check_tables_alone();
    return report;
  }
  files.check_tables(*opened.db);
  check_content(*opened.db, opened.families, report);
  return report;
}

}  // namespace omnicart::persistence
