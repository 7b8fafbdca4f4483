#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/backup/backup_copy.hpp"
#include "cluster/backup/backup_folder.hpp"

namespace omnicart::cluster {

struct backup_problem {
  std::string where;  // file, or shard and record
  std::string what;
};

struct backup_report {
  static constexpr std::size_t problems_max = 1'000;  // more are only counted

  std::vector<backup_problem> problems;
  std::uint64_t problem_count = 0;
  std::uint64_t chunks = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;

  bool ok() const { return problem_count == 0; }
  void add(std::string where, std::string what);
};

// Whether a record of a shard's content decodes, and stands where it belongs. Refusal: malformed.
status check_record(std::uint16_t shard, std::uint16_t shard_count, persistence::family which,
                    std::string_view key, std::string_view value);

// Visits the records of one chunk. Errors: those of backup_folder::chunk, malformed (records that
// are none), the visitor's.
status read_chunk(const backup_folder& from, const chunk_name& name, std::uint16_t shard,
                  const record_visitor& seen);

// Reads every chunk of a backup and looks at every record: bytes against the chunk's name, keys and
// values against check_record, order and number against what the manifest says. `seen` gets the
// records of sound chunks; what it complains of is noted.
backup_report check_backup(const backup_folder& from, const backup_manifest& what,
                           const record_visitor& seen);

}  // namespace omnicart::cluster
