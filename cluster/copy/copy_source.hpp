#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cluster/copy/copy_frame.hpp"
#include "persistence/store.hpp"

namespace rocksdb {
class Iterator;
class ManagedSnapshot;
}  // namespace rocksdb

namespace omnicart::cluster {

// Reads a shard as it is at one moment, piece by piece. Content and position in the log belong
// together because the journal writes them together. Used by one thread at a time; the store must
// outlive it.
class copy_source {
 public:
  // Errors: unavailable (this node has less of the shard than is asked for, or is filling it
  // itself), io.
  static result<std::unique_ptr<copy_source>> open(persistence::store& data,
                                                   const copy_request& wanted);
  ~copy_source();

  // The next `bytes` of records, or fewer at the end; empty behind it. Errors: io.
  result<std::string> next(std::size_t bytes);
  const shard_content& content() const { return content_; }

 private:
  copy_source(persistence::store& data, const copy_request& wanted);
  status look();
  result<std::optional<std::string>> get(persistence::family from, const std::string& key) const;
  result<raft::log_index> last_logged() const;
  // False: there is no further record.
  result<bool> read_record();

  persistence::store& store_;
  const copy_request wanted_;
  std::unique_ptr<rocksdb::ManagedSnapshot> moment_;
  shard_content content_;
  std::size_t family_ = 0;
  std::unique_ptr<rocksdb::Iterator> at_;
  std::string ready_;  // records read and not handed out
};

}  // namespace omnicart::cluster
