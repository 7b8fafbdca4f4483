#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/journal.hpp"

// What is stored where: the one place that knows the bytes of keys and values. Grammar (format 1):
//
//   shard     = 2 bytes big-endian: shard_of(id, shard_count); every key but those of meta and
//   index starts with it,
//               so that a shard can be scanned, moved or dropped as a range
//   u64       = 8 bytes big-endian;  time = u64 of the milliseconds with the sign bit flipped
//   (sorts as time does) name      = kind '/' escaped(id);  escaped: byte 00 -> 01 01, byte 01 ->
//   01 02, so a name holds no 00 message   = codec message (runtime/base/codec.hpp)
//
//   family     key                                value
//   default    "format"                           message of store_format
//              "replica/" shard                   what consensus keeps (cluster/replica_storage.hpp)
//              "applied/" shard                   u64: how far the shard's content contains its log
//              "node"                            u64: the number of the node whose replicas these are
//              "identity"                        u64: tells this store from any other
//              "copying/" shard                   empty: the shard's content is being replaced, and not whole
//   log        shard u64(index from 1)            message of log_entry; no gaps from the first to
//   the last index events     shard name 00 u64(version from 1)  message of event_record; no gaps
//   from the first to the last version
//              shard name 00 FF*8                 time: the entity's timer (its marker; see timers)
//   snapshots  shard name 00                      message of snapshot
//   receipts   shard name 00 command id (16)      message of receipt
//   timers     shard time name                    empty; exactly the timers that have a marker, in
//   order of time index      'd' projection 00 key              the projection's row
//              'd' projection 00                  u64: the format of the rows; none: 1
//              'p' projection 00 shard            u64: the last log index that the rows contain
//
// An entity is read with one get (snapshot) and one short scan (events after it, then the timer
// marker). Rows of a projection are not under a shard: a list runs over all shards in order, and is
// rebuilt where a shard moves. Checksums: RocksDB's, per block, per file and per WAL record.
namespace omnicart::persistence {

// Highest format this build reads and writes.
inline constexpr std::uint32_t format_version = 1;
// Beside the database while a backup is being restored there (cluster/backup/restore.hpp).
inline constexpr const char* restoring_name = "restoring";
inline constexpr std::string_view replica_record_prefix = "replica/";
inline constexpr std::string_view applied_prefix = "applied/";
inline constexpr std::string_view node_key = "node";
inline constexpr const char* identity_key = "identity";
inline constexpr std::string_view copying_prefix = "copying/";
inline constexpr std::uint64_t timer_marker_version = std::numeric_limits<std::uint64_t>::max();

struct store_format {
  std::uint32_t version = 0;
  std::uint16_t shard_count = 0;

  OMNICART_FIELDS(version, shard_count)
};

// All that one journal item left behind, inside a log entry: what a replica needs to write the same keys.
struct logged_item {
  std::string kind;
  std::string id;
  std::uint64_t first_version = 0;
  std::vector<std::string> records;  // messages of event_record: consecutive events, as in events
  std::optional<receipt> proof;
  std::optional<timer_change> timer;
  std::optional<snapshot> state;
  std::uint64_t cut_through = 0;  // see journal_item
  std::uint64_t cut_from = 0;
  bool forgotten = false;
  bool brief = false;  // `proof` is no key of its own

  friend bool operator==(const logged_item&, const logged_item&) = default;
  // What stands behind the records was added by the second issue of the format; older entries end there.
  OMNICART_FIELDS(kind, id, first_version, records, proof, timer, state, cut_through, cut_from, forgotten, brief)
};

// What a log entry is for. Numbers are stored; never reuse one.
enum class entry_kind : std::uint8_t {
  items = 0,
  barrier = 2,  // nothing: a leader's first word in its term
  change = 3,   // the shard's replicas change
};

// What one shard got in one group commit.
struct log_entry {
  std::uint64_t term = 0;
  timestamp_ms time;  // log time: at least that of every event in it, never below that of items before it
  std::vector<logged_item> items;
  entry_kind what = entry_kind::items;
  // Of a change: the configuration (cluster/raft/membership.hpp). Of items: mostly empty; in an entry without any, the
  // mark of a backup's cut (cluster/backup/cut_messages.hpp).
  std::string change;

  friend bool operator==(const log_entry&, const log_entry&) = default;
  OMNICART_FIELDS(term, time, items, what, change)
};

std::string entity_prefix(std::uint16_t shard, const entity_ref& entity);  // shard name 00
std::string event_key(std::string_view prefix, std::uint64_t version);
std::string receipt_key(std::string_view prefix, command_id id);
std::string timer_key(std::uint16_t shard, timestamp_ms due, const entity_ref& entity);
std::string log_key(std::uint16_t shard, std::uint64_t index);
std::string shard_key(std::uint16_t shard);  // lowest key of a shard
std::string end_of_shard(std::uint16_t shard);  // above all of its keys
std::string row_key(std::string_view projection, std::string_view key);
std::string position_key(std::string_view projection, std::uint16_t shard);
std::string encode_u64(std::uint64_t value);
std::string encode_time(timestamp_ms time);

struct entity_key {
  std::uint16_t shard = 0;
  entity_ref entity;
  std::string_view rest;  // behind the 00; views the parsed key
};
struct timer_position {
  std::uint16_t shard = 0;
  timestamp_ms due;
  entity_ref entity;
};
struct log_position {
  std::uint16_t shard = 0;
  std::uint64_t index = 0;
};

// Nothing when the bytes are no such key.
std::optional<entity_key> parse_entity_key(std::string_view key);
std::optional<timer_position> parse_timer_key(std::string_view key);
std::optional<log_position> parse_log_key(std::string_view key);
std::optional<std::uint64_t> decode_u64(std::string_view bytes);
std::optional<timestamp_ms> decode_time(std::string_view bytes);

std::string encode(const store_format& value);
std::string encode(const log_entry& value);
std::string encode(const event_record& value);
std::string encode(const snapshot& value);
std::string encode(const receipt& value);

// Refusal: base_errc::malformed.
result<store_format> decode_store_format(std::string_view bytes);
result<log_entry> decode_log_entry(std::string_view bytes);
result<event_record> decode_event_record(std::string_view bytes);
result<snapshot> decode_snapshot(std::string_view bytes);
result<receipt> decode_receipt(std::string_view bytes);

}  // namespace omnicart::persistence
