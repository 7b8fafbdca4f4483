#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace omnicart::persistence {

struct record_log_damage {
  std::uint64_t offset = 0;  // of the record in the file
  std::string what;
};

struct record_log_scan {
  std::uint64_t records = 0;  // whole ones
  std::vector<record_log_damage> damages;
  std::optional<std::uint64_t> torn_at;  // a record begins here that the file ends within
};

// Checks a file in the format that RocksDB keeps its write-ahead log and manifest in (RocksDB wiki,
// "Write Ahead Log File Format"; db/log_format.h): blocks of 32 KiB, each a sequence of
//
//   masked CRC-32C of type and data (4, little-endian) | length (2, little-endian) | type (1) |
//   data
//
// where type is full 1, or first 2, middle 3, last 4 of a record in parts; under 7 bytes at the end
// of a block are zeros. Stricter than a start, which takes a length beyond the end of the file for
// a torn write and drops what follows: here a length whose shorter data match the checksum is
// damage.
record_log_scan scan_record_log(std::string_view bytes);

}  // namespace omnicart::persistence
