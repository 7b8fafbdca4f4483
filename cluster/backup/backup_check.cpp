#include "cluster/backup/backup_check.hpp"

#include <algorithm>
#include <utility>

#include "cluster/copy/record_stream.hpp"
#include "persistence/key_layout.hpp"

namespace omnicart::cluster {
namespace {

using persistence::family;

constexpr std::size_t version_bytes = 8;
constexpr std::size_t command_id_bytes = 16;

tl::unexpected<error> bad(const std::string& what) { return fail(base_errc::malformed, what); }

status check_event(const persistence::entity_key& key, std::string_view value) {
  if (key.rest.size() != version_bytes) return bad("no event key");
  if (persistence::decode_u64(key.rest) == persistence::timer_marker_version) {
    return persistence::decode_time(value)
               ? status{}
               : bad("the timer marker of " + key.entity.str() + " is not readable");
  }
  const auto record = persistence::decode_event_record(value);
  return record ? status{} : bad("an event of " + key.entity.str() + ": " + record.error().detail);
}

status check_snapshot(const persistence::entity_key& key, std::string_view value) {
  if (!key.rest.empty()) return bad("no snapshot key");
  const auto state = persistence::decode_snapshot(value);
  return state ? status{}
               : bad("the snapshot of " + key.entity.str() + ": " + state.error().detail);
}

status check_receipt(const persistence::entity_key& key, std::string_view value) {
  const auto proof = persistence::decode_receipt(value);
  if (!proof) return bad("a receipt of " + key.entity.str() + ": " + proof.error().detail);
  const bool is_its =
      key.rest.size() == command_id_bytes &&
      persistence::encode_u64(proof->id.high) + persistence::encode_u64(proof->id.low) == key.rest;
  return is_its ? status{} : bad("a receipt of " + key.entity.str() + " is another command's");
}

int rank_of(family which) {
  return static_cast<int>(std::find(copied_families.begin(), copied_families.end(), which) -
                          copied_families.begin());
}

// One shard's records must rise through all chunks.
class shard_checker {
 public:
  shard_checker(const backup_manifest& of, const record_visitor& seen, backup_report& report)
      : of_(of), seen_(seen), report_(report) {}

  status take(std::uint16_t shard, family which, std::string_view key, std::string_view value) {
    const std::pair<int, std::string> place(rank_of(which), key);
    const std::string where =
        "shard " + std::to_string(shard) + ", " + persistence::to_string(which);
    if (records_++ > 0 && place <= last_) report_.add(where, "records are out of order");
    last_ = place;
    if (auto sound = check_record(shard, of_.shard_count, which, key, value); !sound) {
      report_.add(where, sound.error().detail);
    } else if (auto told = seen_(shard, which, key, value); !told) {
      report_.add(where, told.error().detail);
    }
    return {};
  }
  std::uint64_t records() const { return records_; }

 private:
  const backup_manifest& of_;
  const record_visitor& seen_;
  backup_report& report_;
  std::pair<int, std::string> last_;
  std::uint64_t records_ = 0;
};

}  // namespace

void backup_report::add(std::string where, std::string what) {
  ++problem_count;
  if (problems.size() < problems_max)
    problems.push_back({.where = std::move(where), .what = std::move(what)});
}

status check_record(std::uint16_t shard, std::uint16_t shard_count, family which,
                    std::string_view bytes, std::string_view value) {
  if (which == family::timers) {
    const auto timer = persistence::parse_timer_key(bytes);
    const bool is_here =
        timer && timer->shard == shard && group_of(timer->entity, shard_count) == shard;
    return is_here ? status{} : bad("no timer key, or another shard's");
  }
  const auto key = persistence::parse_entity_key(bytes);
  if (!key || key->shard != shard || group_of(key->entity, shard_count) != shard) {
    return bad("a key that names no entity of the shard");
  }
  switch (which) {
    case family::events:
      return check_event(*key, value);
    case family::snapshots:
      return check_snapshot(*key, value);
    case family::receipts:
      return check_receipt(*key, value);
    case family::meta:
    case family::log:
    case family::index:
    case family::timers:
      break;
  }
  return bad(std::string("a record of the family ") + persistence::to_string(which) +
             ", which is no content");
}

status read_chunk(const backup_folder& from, const chunk_name& name, std::uint16_t shard,
                  const record_visitor& seen) {
  const auto bytes = from.chunk(name);
  if (!bytes) return fail(bytes.error());
  record_stream records;
  auto read = records.add(*bytes, [&](family which, std::string_view key, std::string_view value) {
    return seen(shard, which, key, value);
  });
  if (!read) return read;
  return records.at_end() ? status{} : bad("chunk " + name.hash + " ends within a record");
}

backup_report check_backup(const backup_folder& from, const backup_manifest& what,
                           const record_visitor& seen) {
  backup_report report;
  for (const auto& shard : what.shards) {
    shard_checker checker(what, seen, report);
    bool whole = true;
    for (const auto& name : shard.chunks) {
      ++report.chunks;
      auto read = read_chunk(from, name, shard.shard,
                             [&](auto... record) { return checker.take(record...); });
      if (read) {
        report.bytes += name.bytes;
      } else {
        report.add("chunk " + name.hash + " of shard " + std::to_string(shard.shard),
                   read.error().detail);
        whole = false;
      }
    }
    report.records += checker.records();
    if (whole && checker.records() != shard.records) {
      report.add("shard " + std::to_string(shard.shard), std::to_string(checker.records()) +
                                                             " records, the manifest says " +
                                                             std::to_string(shard.records));
    }
  }
  return report;
}

}  // namespace omnicart::cluster
