#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "persistence/store.hpp"

namespace omnicart::persistence {

struct verify_problem {
  std::string where;  // file, or family and key
  std::string what;
};

struct verify_report {
  static constexpr std::size_t problems_max = 1'000;  // more are only counted

  std::vector<verify_problem> problems;
  std::uint64_t problem_count = 0;
  std::vector<std::string>
      notes;  // not wrong: a record torn by a crash at the end of the write-ahead log
  std::array<std::uint64_t, family_count> keys{};
  std::uint64_t entities = 0;
  std::uint64_t table_files = 0;
  std::uint64_t wal_files = 0;
  std::uint64_t wal_records = 0;

  bool ok() const { return problem_count == 0; }
  void add(std::string where, std::string what);
};

// Reads every byte of the store below `directory` that no process may have open, changes nothing
// (but takes its lock), and says what is wrong where:
//   - write-ahead log and manifest, record by record, stricter than a start is (it forgives a torn
//   end);
//   - every table file against the checksum noted when it was written;
//   - every key and value decodes and stands in its shard;
//   - versions of an entity and indexes of a log have no gap; timers and their markers agree.
// Errors: not_found (no store there), unavailable (in use), io (not permitted). What is found wrong is no error but in
// the report.
// `file_system`: null for the machine's.
result<verify_report> verify(const std::string& directory,
                             std::shared_ptr<rocksdb::FileSystem> file_system = nullptr);

}  // namespace omnicart::persistence
