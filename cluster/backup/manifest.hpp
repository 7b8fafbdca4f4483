#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

// What a backup consists of. A file of two lines:
//
//   {"format":1,"id":…}            the members below, as JSON
//   blake2b HEX                    of the first line, with its end
//
// It is written last: without it there is no backup, only chunks that the next one may use.
namespace omnicart::cluster {

inline constexpr std::uint32_t backup_format = 1;  // the highest this build reads and writes

struct chunk_name {
  std::string hash;  // BLAKE2b-256 of its bytes, 64 hex digits
  std::uint64_t bytes = 0;

  friend bool operator==(const chunk_name&, const chunk_name&) = default;
};

struct backed_up_shard {
  std::uint16_t shard = 0;
  std::uint64_t index = 0;  // of the last log entry it contains
  std::uint64_t term = 0;
  timestamp_ms time;  // log time there
  std::uint64_t records = 0;
  std::vector<chunk_name> chunks;  // in order; their families rise as in copied_families

  friend bool operator==(const backed_up_shard&, const backed_up_shard&) = default;
};

// The books at the cut. Amounts are minor units by currency.
struct cut_totals {
  std::uint64_t orders = 0;  // all there are
  std::map<std::string, std::uint64_t> orders_by_status;
  std::uint64_t in_flight = 0;  // of them: on their way, so they go on where it is restored
  std::map<std::string, std::int64_t>
      gross;                   // of those that stand: paid, or accepted against invoice
  std::uint64_t captures = 0;  // that orders know of
  std::map<std::string, std::int64_t> captured, refunded;
  std::uint64_t products = 0;                                      // with a stock record
  std::int64_t on_hand = 0, reserved = 0, sold = 0, returned = 0;  // units

  friend bool operator==(const cut_totals&, const cut_totals&) = default;
};

struct backup_manifest {
  std::string id;  // "20261121T161913Z-1f2e3d4c": sorts by time
  timestamp_ms created;
  std::string by, why;     // who asked for it
  std::string version;     // of the build that wrote it
  std::string cluster;     // whose it is
  std::uint64_t node = 0;  // that wrote it
  std::uint16_t shard_count = 0;
  std::uint32_t store_format = 0;
  duration_ms paused{0};
  unsigned tries = 0;
  std::string token_keys;  // 64 bytes: those that sign, so that nobody has to sign in again
  cut_totals totals;
  std::vector<backed_up_shard> shards;  // by number, all of them

  std::uint64_t bytes() const;
  std::uint64_t records() const;
  friend bool operator==(const backup_manifest&, const backup_manifest&) = default;
};

std::string encode_manifest(const backup_manifest& what);
// Refusal: malformed; the detail says whether it is damaged or a newer build's.
result<backup_manifest> decode_manifest(std::string_view bytes);

// The totals as JSON text, for answers.
std::string totals_json(const cut_totals& totals);

// BLAKE2b-256 as 64 hex digits.
std::string hash_of(std::string_view bytes);
bool is_backup_id(std::string_view text);

}  // namespace omnicart::cluster
