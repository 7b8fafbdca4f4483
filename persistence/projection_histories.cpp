#include <rocksdb/db.h>
#include <rocksdb/snapshot.h>

#include <algorithm>
#include <memory>

#include "persistence/key_layout.hpp"
#include "persistence/projection_changes.hpp"
#include "persistence/rocksdb_options.hpp"

// How a projection's rows are made anew from what the store keeps of the entities, when the log cannot tell it any more.
namespace omnicart::persistence {
namespace {

constexpr std::string_view format_row = "";

// The lowest key of the shard behind all entities of the kind.
std::string behind_kind(std::uint16_t shard, const std::string& kind) {
  return shard_key(shard) + kind + static_cast<char>('/' + 1);
}

}  // namespace

// What its rows do not contain is no longer in some shard's log: a backup was restored, or the shard came from another node
// just before the end.
result<bool> projection_runner::is_behind_log() const {
  for (std::uint16_t shard = 0; shard < store_.group_count(); ++shard) {
    const auto position = table_.stored_position(shard);
    if (!position) return fail(position.error());
    const auto log = shard_log(store_).stored(shard);
    if (!log) return fail(log.error());
    if (log->first > 0 && *position + 1 < log->first) return true;
  }
  return false;
}

// Nothing is being written yet, so what is committed in the log is in the histories too; what the log of one of several
// voters holds beyond comes when it is committed, if ever. The format stands last: should this be cut short, it begins again.
status projection_runner::make_anew_if_outdated() {
  const auto stored = table_.get(format_row);
  if (!stored) return fail(stored.error());
  const std::uint64_t format = *stored ? decode_u64(**stored).value_or(0) : 1;
  const auto behind = is_behind_log();
  if (!behind) return fail(behind.error());
  if (format == projection_.format() && !*behind) return {};
  if (auto cleared = table_.clear(); !cleared) return cleared;
  projection_.open(*rows_);
  std::vector<projection_store::position> positions;
  for (std::uint16_t shard = 0; shard < store_.group_count(); ++shard) {
    if (auto applied = apply_histories(shard); !applied) return applied;
    const auto log = shard_log(store_).stored(shard);
    if (!log) return fail(log.error());
    const auto through = committed_through_ ? committed_through_(shard) : log->last;
    if (through > 0) positions.push_back({.shard = shard, .index = through});
  }
  rows_->put(std::string(format_row), encode_u64(projection_.format()));
  if (auto written = table_.write(rows_->take_changes(), positions); !written) return written;
  if (!positions.empty()) log::info("projection was made anew", {{"projection", projection_.name()}});
  return {};
}

// What is before the first event that is kept of an entity.
status projection_runner::restore_snapshots(std::uint16_t shard, const rocksdb::ReadOptions& how) {
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator(how, store_.of(family::snapshots)));
  for (at->Seek(shard_key(shard)); at->Valid();) {
    const auto key = parse_entity_key(at->key().ToStringView());
    if (!key) return fail(base_errc::io, "a key of a snapshot does not read");
    if (key->shard != shard) break;
    if (!projection_.wants(key->entity.kind)) {
      at->Seek(behind_kind(shard, key->entity.kind));
      continue;
    }
    const auto stored = decode_snapshot(at->value().ToStringView());
    if (!stored) return fail(base_errc::io, key->entity.str() + ": " + stored.error().detail);
    snapshots_->restore(key->entity, stored->state, *rows_);
    if (auto written = write_if_many(); !written) return written;
    at->Next();
  }
  if (!at->status().ok()) return fail(io_error("cannot read snapshots", at->status()));
  return {};
}

// Steps over the kinds that are not wanted: there may be millions of those. Snapshots and events are those of one moment:
// what is cut meanwhile is in one of them.
status projection_runner::apply_histories(std::uint16_t shard) {
  rocksdb::ManagedSnapshot one_moment(&store_.db());
  rocksdb::ReadOptions how;
  how.total_order_seek = true;
  how.snapshot = one_moment.snapshot();
  if (snapshots_ != nullptr) {
    if (auto restored = restore_snapshots(shard, how); !restored) return restored;
  }
  std::unique_ptr<rocksdb::Iterator> at(store_.db().NewIterator(how, store_.of(family::events)));
  for (at->Seek(shard_key(shard)); at->Valid();) {
    const auto key = parse_entity_key(at->key().ToStringView());
    if (!key) return fail(base_errc::io, "a key of an event does not read");
    if (key->shard != shard) break;
    if (!projection_.wants(key->entity.kind)) {
      at->Seek(behind_kind(shard, key->entity.kind));
      continue;
    }
    const auto version = decode_u64(key->rest);
    if (version && *version != timer_marker_version) {
      auto record = decode_event_record(at->value().ToStringView());
      if (!record) return fail(base_errc::io, key->entity.str() + ": " + record.error().detail);
      projection_.apply(key->entity, *version, *record, *rows_);
    }
    if (auto written = write_if_many(); !written) return written;
    at->Next();
  }
  if (!at->status().ok()) return fail(io_error("cannot read histories", at->status()));
  return {};
}

// Of rows made anew; their positions follow when all are there.
status projection_runner::write_if_many() {
  if (rows_->changes() < limits_.rows_per_write) return {};
  return table_.write(rows_->take_changes(), {});
}

// Entries up to where the log is committed now are in the histories; what these hold beyond comes again, which apply
// may. The positions go with the rows: cut short, it begins again at the start.
status projection_runner::make_anew() {
  std::map<std::uint16_t, std::uint64_t> through;
  for (auto& [shard, position] : positions_) {
    const auto committed = committed_through_ ? committed_through_(shard) : position;
    through[shard] = std::max(position, committed);
  }
  rows_->take_changes();
  unwritten_.clear();
  if (auto cleared = table_.clear(); !cleared) return cleared;
  projection_.open(*rows_);
  for (auto& [shard, position] : positions_) {
    if (auto applied = apply_histories(shard); !applied) return applied;
    position = through[shard];
    unwritten_[shard] = position;
  }
  rows_->put(std::string(format_row), encode_u64(projection_.format()));
  write_rows();
  return {};
}

}  // namespace omnicart::persistence
