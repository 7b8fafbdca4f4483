#include "persistence/store_content.hpp"

#include <rocksdb/db.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/key_layout.hpp"
#include "persistence/store_identity.hpp"

namespace omnicart::persistence {
namespace {

constexpr std::size_t version_bytes = 8;
constexpr std::size_t command_id_bytes = 16;

class content_checker {
 public:
  content_checker(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& families,
                  verify_report& report)
      : db_(db), families_(families), report_(report) {}

  void run() {
    if (!check_format()) return;
    check_log();
    check_entities();
    check_receipts();
    check_timers();
    check_index();
  }

 private:
  using iterator = std::unique_ptr<rocksdb::Iterator>;

  iterator all(family which) {
    rocksdb::ReadOptions how;
    how.total_order_seek = true;
    how.fill_cache = false;
    iterator at(db_.NewIterator(how, families_[static_cast<std::size_t>(which)]));
    at->SeekToFirst();
    return at;
  }

  // Counts the key that the iterator stands on; false at the end, which is noted when it is an
  // error.
  bool have(const rocksdb::Iterator& at, family which) {
    if (at.Valid()) return ++report_.keys[static_cast<std::size_t>(which)] > 0;
    if (!at.status().ok()) report_.add(to_string(which), at.status().ToString());
    return false;
  }

  void problem(family which, std::string_view key, const std::string& what) {
    report_.add(std::string(to_string(which)) + " key " + rocksdb::Slice(key).ToString(true), what);
  }
  void problem(family which, const entity_ref& entity, const std::string& what) {
    report_.add(std::string(to_string(which)) + " of " + entity.str(), what);
  }

  std::optional<std::string> get(family which, const std::string& key) {
    std::string value;
    const auto read = db_.Get({}, families_[static_cast<std::size_t>(which)], key, &value);
    if (read.ok()) return value;
    if (!read.IsNotFound()) problem(which, key, read.ToString());
    return std::nullopt;
  }

  bool check_format() {
    const auto bytes = get(family::meta, "format");
    const auto format = bytes ? decode_store_format(*bytes) : fail(base_errc::malformed);
    if (!format || format->shard_count == 0) {
      report_.add("default key format", "there is no readable format record");
      return false;
    }
    if (format->version > format_version) {
      report_.add("default key format",
                  "format " + std::to_string(format->version) + " is newer than this program");
      return false;
    }
    shard_count_ = format->shard_count;
    auto at = all(family::meta);
    for (; have(*at, family::meta); at->Next()) {
      const auto key = at->key().ToStringView();
      if (key == identity_key) {
        if (!parse_store_identity(at->value().ToStringView())) problem(family::meta, key, "the store's own number is not readable");
      } else if (!is_known(key)) {
        problem(family::meta, key, "an unknown record");
      }
    }
    return true;
  }

  static bool is_known(std::string_view key) {
    return key == "format" || key == node_key || key.starts_with(replica_record_prefix) ||
           key.starts_with(applied_prefix) || key.starts_with(copying_prefix);
  }

  void check_log() {
    std::optional<log_position> before;
    log_entry last;
    timestamp_ms time;  // of the last entry that has one of its own
    for (auto at = all(family::log); have(*at, family::log); at->Next()) {
      const auto key = at->key().ToStringView();
      const auto here = parse_log_key(key);
      if (!here || here->shard >= group_count(shard_count_) || here->index == 0) {
        problem(family::log, key, "no log key");
        continue;
      }
      const bool follows = before && before->shard == here->shard;
      if (follows && here->index != before->index + 1) {
        problem(family::log, key,
                "entries " + std::to_string(before->index + 1) + " to " +
                    std::to_string(here->index - 1) + " of shard " + std::to_string(here->shard) +
                    " are missing");
      }
      before = here;
      auto entry = decode_log_entry(at->value().ToStringView());
      if (!entry) {
        problem(family::log, key, entry.error().detail);
        continue;
      }
      if (!follows) time = {};
      // Of barriers and changes each replica writes what its own clock has come to.
      const bool is_timed = entry->what == entry_kind::items;
      if (follows && ((is_timed && entry->time < time) || entry->term < last.term)) {
        problem(family::log, key, "time or term is below that of the entry before");
      }
      if (is_timed) time = entry->time;
      check_logged(key, here->shard, *entry);
      last = std::move(*entry);
    }
  }

  void check_logged(std::string_view key, std::uint16_t shard, const log_entry& entry) {
    for (const auto& logged : entry.items) {
      if (group_of(logged.kind, logged.id, shard_count_) != shard) {
        problem(family::log, key, logged.kind + '/' + logged.id + " belongs to another shard");
      }
      for (const auto& record : logged.records) {
        if (auto decoded = decode_event_record(record); !decoded)
          problem(family::log, key, decoded.error().detail);
      }
    }
  }

  // Events and snapshots are walked side by side: both stand in the order of entities.
  void check_entities() {
    auto events = all(family::events);
    auto snapshots = all(family::snapshots);
    bool more_events = have(*events, family::events);
    bool more_snapshots = have(*snapshots, family::snapshots);
    while (more_events || more_snapshots) {
      const auto event_prefix = more_events ? prefix_of_event(*events) : std::string();
      if (more_events && event_prefix.empty()) {
        problem(family::events, events->key().ToStringView(), "no event key");
        events->Next();
        more_events = have(*events, family::events);
        continue;
      }
      const bool snapshot_next =
          more_snapshots && (!more_events || snapshots->key().compare(event_prefix) <= 0);
      const auto prefix = snapshot_next ? snapshots->key().ToString() : event_prefix;
      std::optional<std::uint64_t> base;
      const auto entity = check_owner(snapshot_next ? family::snapshots : family::events, prefix);
      if (snapshot_next) {
        base = check_snapshot(prefix, snapshots->value().ToStringView());
        snapshots->Next();
        more_snapshots = have(*snapshots, family::snapshots);
      }
      if (more_events && event_prefix == prefix)
        more_events = check_events(*events, prefix, entity, base);
    }
  }

  static std::string prefix_of_event(const rocksdb::Iterator& at) {
    const auto key = parse_entity_key(at.key().ToStringView());
    if (!key || key->rest.size() != version_bytes) return {};
    return at.key().ToString().substr(0, at.key().size() - version_bytes);
  }

  entity_ref check_owner(family which, const std::string& prefix) {
    const auto key = parse_entity_key(prefix);
    if (!key || !key->rest.empty()) {
      problem(which, prefix, "names no entity");
      return {};
    }
    ++report_.entities;
    if (key->shard != group_of(key->entity, shard_count_)) {
      problem(which, key->entity,
              "stands in shard " + std::to_string(key->shard) + ", not its own");
    }
    return key->entity;
  }

  std::optional<std::uint64_t> check_snapshot(const std::string& prefix, std::string_view value) {
    const auto state = decode_snapshot(value);
    if (state) return state->version;
    problem(family::snapshots, prefix, state.error().detail);
    return std::nullopt;
  }

  bool check_events(rocksdb::Iterator& at, const std::string& prefix, const entity_ref& entity,
                    std::optional<std::uint64_t> base) {
    std::uint64_t last = 0;
    bool more = true;
    for (; more && at.key().starts_with(prefix); at.Next(), more = have(at, family::events)) {
      const auto version = decode_u64(at.key().ToStringView().substr(prefix.size()));
      if (!version) {
        problem(family::events, at.key().ToStringView(), "no event key");
      } else if (*version == timer_marker_version) {
        check_marker(entity, at.value().ToStringView());
      } else {
        check_event(entity, *version, last, base, at.value().ToStringView());
        last = *version;
      }
    }
    if (base && last != 0 && last < *base) {
      problem(family::events, entity,
              "end at version " + std::to_string(last) + ", the snapshot holds " +
                  std::to_string(*base));
    }
    return more;
  }

  void check_event(const entity_ref& entity, std::uint64_t version, std::uint64_t before,
                   std::optional<std::uint64_t> base, std::string_view value) {
    // The first may stand anywhere up to the one behind the snapshot: what it covers may have been
    // cut.
    const bool gap = before != 0 ? version != before + 1 : version > base.value_or(0) + 1;
    if (gap || version == 0) {
      problem(family::events, entity, "there is a gap before version " + std::to_string(version));
    }
    const auto record = decode_event_record(value);
    if (!record) {
      problem(family::events, entity,
              "version " + std::to_string(version) + ": " + record.error().detail);
    }
  }

  void check_marker(const entity_ref& entity, std::string_view value) {
    const auto due = decode_time(value);
    if (!due) return problem(family::events, entity, "the timer marker is not readable");
    if (!get(family::timers, timer_key(group_of(entity, shard_count_), *due, entity))) {
      problem(family::timers, entity, "has a marker but no timer");
    }
  }

  void check_receipts() {
    for (auto at = all(family::receipts); have(*at, family::receipts); at->Next()) {
      const auto bytes = at->key().ToStringView();
      const auto key = parse_entity_key(bytes);
      if (!key || key->rest.size() != command_id_bytes ||
          key->shard != group_of(key->entity, shard_count_)) {
        problem(family::receipts, bytes, "no receipt key, or not in its shard");
        continue;
      }
      const auto proof = decode_receipt(at->value().ToStringView());
      if (!proof) {
        problem(family::receipts, bytes, proof.error().detail);
      } else if (encode_u64(proof->id.high) + encode_u64(proof->id.low) != key->rest) {
        problem(family::receipts, bytes, "holds the receipt of another command");
      }
    }
  }

  void check_timers() {
    for (auto at = all(family::timers); have(*at, family::timers); at->Next()) {
      const auto bytes = at->key().ToStringView();
      const auto timer = parse_timer_key(bytes);
      if (!timer || timer->shard != group_of(timer->entity, shard_count_)) {
        problem(family::timers, bytes, "no timer key, or not in its shard");
        continue;
      }
      const auto marker = get(family::events, event_key(entity_prefix(timer->shard, timer->entity),
                                                        timer_marker_version));
      if (!marker || *marker != encode_time(timer->due)) {
        problem(family::timers, timer->entity, "has a timer but no marker for its time");
      }
    }
  }

  void check_index() {
    for (auto at = all(family::index); have(*at, family::index); at->Next()) {
      const auto key = at->key().ToStringView();
      const auto name_end = key.find('\0');
      const bool position = key.starts_with('p') && name_end + 3 == key.size();
      if (name_end == key.npos || name_end < 2 || (!position && !key.starts_with('d'))) {
        problem(family::index, key, "no key of a projection");
      } else if (position && !decode_u64(at->value().ToStringView())) {
        problem(family::index, key, "the position is not readable");
      }
    }
  }

  rocksdb::DB& db_;
  const std::vector<rocksdb::ColumnFamilyHandle*>& families_;
  verify_report& report_;
  std::uint16_t shard_count_ = 1;
};

}  // namespace

void check_content(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& families,
                   verify_report& report) {
  content_checker(db, families, report).run();
}

}  // namespace omnicart::persistence
