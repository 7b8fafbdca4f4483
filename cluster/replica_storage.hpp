#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/raft/raft_group.hpp"
#include "persistence/key_layout.hpp"
#include "persistence/store.hpp"

namespace rocksdb {
class WriteBatch;
}

namespace omnicart::cluster {

// A configuration and the log entry that brought it.
struct stored_configuration {
  raft::log_index index = 0;
  raft::configuration members;

  friend bool operator==(const stored_configuration&, const stored_configuration&) = default;
  OMNICART_FIELDS(index, members)
};

// What a replica keeps besides its log and the shard's content.
struct replica_record {
  raft::hard_state hard;
  std::optional<stored_configuration> latest;    // nothing: the replica waits to be told who belongs to it
  std::optional<stored_configuration> previous;  // in use again should `latest` be taken back
  std::vector<stored_configuration> older;       // before it, ascending, back to the one in use at what is applied

  // A new one, while everything up to `applied` is applied.
  void add(stored_configuration latest_now, raft::log_index applied);
  // Forgets those from `first` on; false when there are none.
  bool take_back(raft::log_index first);
  // In use after entry `index`; null when that is not known (any more).
  const stored_configuration* in_use_at(raft::log_index index) const;

  friend bool operator==(const replica_record&, const replica_record&) = default;
  OMNICART_FIELDS(hard, latest, previous, older)
};

// A replica as it lies in the store.
struct stored_replica {
  replica_record record;
  raft::stored_state state;     // for raft_group::start, with the bytes of what is not applied
  raft::log_index applied = 0;  // the shard's content contains the log up to here
  raft::log_index last = 0;     // of the log
  bool applied_is_written = false;  // "applied/" says so, not the rule of the only voter
  bool is_copying = false;          // the content is not whole
  timestamp_ms time;            // log time of the last entry
  bool is_new = false;          // neither record nor entries are stored: the caller puts them first
};

// The keys that Raft needs in the store, in the family `default`:
//
//   "replica/" shard    message of replica_record
//   "applied/" shard    u64: the last log index whose content is stored
//   "copying/" shard    empty: the content is being replaced by another node's, and is not whole before what is applied
//                       reaches what came; after a crash it is fetched anew. Log and record stay what they were
//
// The only voter of a shard writes an entry and its content in one batch and has no "applied/": all that is in its log
// is applied. With more voters the content follows when the entry is committed, and "applied/" says how far it is.
class replica_storage {
 public:
  explicit replica_storage(persistence::store& data) : store_(data) {}

  // What the shard's replica is started from. A shard that a node without replication wrote, or nobody yet, becomes that
  // of the only voter `founder` (0: of a replica that waits for its leader). Of shards with other voters, up to
  // `trailing` entries behind what is applied are in the state too, for followers that lag.
  // Errors: io, naming shard and entry.
  result<stored_replica> recover(std::uint16_t shard, raft::node_id founder, std::size_t trailing) const;

  // The node whose replicas these are; nothing in a store that never had any. Errors: io.
  result<std::optional<raft::node_id>> owner() const;
  void put_owner(raft::node_id self, rocksdb::WriteBatch& out) const;
  void put(std::uint16_t shard, const replica_record& record, rocksdb::WriteBatch& out) const;
  void put_applied(std::uint16_t shard, std::optional<raft::log_index> applied, rocksdb::WriteBatch& out) const;
  void put_copying(std::uint16_t shard, bool is_copying, rocksdb::WriteBatch& out) const;
  // The log becomes the one entry `value` at the snapshot's end, which is also what is applied. `record` goes with it.
  void put_installed(std::uint16_t shard, const raft::snapshot_metadata& installed, const std::string& value,
                     const replica_record& record, rocksdb::WriteBatch& out) const;
  // An entry as raft hands it out. `time`: of entries that have none of their own.
  void put_entry(std::uint16_t shard, const raft::log_entry& entry, timestamp_ms time, rocksdb::WriteBatch& out) const;
  // Entries from `first` through `last` are gone.
  void remove_entries(std::uint16_t shard, raft::log_index first, raft::log_index last, rocksdb::WriteBatch& out) const;

  // All entries up to `last` are gone.
  void remove_range(std::uint16_t shard, raft::log_index last, rocksdb::WriteBatch& out) const;

  // For a follower that lags: what is stored from `first` on, at most `count`. Errors: io.
  result<std::vector<raft::log_entry>> read(std::uint16_t shard, raft::log_index first, std::size_t count) const;
  // The newest up to `last`, as many as are stored, at most `count`. Errors: io.
  result<std::vector<raft::log_entry>> read_last(std::uint16_t shard, raft::log_index last, std::size_t count) const;

 private:
  result<std::optional<std::string>> get(const std::string& key) const;
  result<raft::term_number> term_at(std::uint16_t shard, raft::log_index index) const;
  status read_terms(std::uint16_t shard, raft::log_index first, raft::log_index last,
                    std::vector<raft::log_entry>& into) const;
  status read_trailing(std::uint16_t shard, raft::log_index last, std::size_t count,
                       std::vector<raft::log_entry>& into) const;
  status found(stored_replica& fresh, raft::node_id founder, raft::log_index last, raft::term_number last_term) const;

  persistence::store& store_;
};

std::string applied_key(std::uint16_t shard);
std::string copying_key(std::uint16_t shard);

// A stored entry and the entry that raft knows: the bytes of a command are the stored value itself.
raft::log_entry raft_entry(raft::log_index index, const persistence::log_entry& stored, std::string value);
std::string stored_value(const raft::log_entry& entry, timestamp_ms time);

}  // namespace omnicart::cluster
