#pragma once

#include <cstdint>

#include "cluster/raft/types.hpp"
#include "persistence/store.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::cluster {

// A replica's content as one number, to be compared with the other replicas'.
struct content_hash {
  std::uint16_t shard = 0;
  raft::log_index through = 0;  // the content contains the log up to here
  std::uint64_t records = 0;
  timestamp_ms receipts_after;  // receipts that may be forgotten before this are left out
  std::uint64_t hash = 0;       // XXH3-64 of all records in the order of a copy (copy_frame.hpp)

  friend bool operator==(const content_hash&, const content_hash&) = default;
};

// Reads the whole content of a shard, as it is at one moment, and with it every checksum below it.
// Two replicas are equal when all fields are. Receipts go from each store at a time of its own once
// they may: those which may within an hour or two of `now` (a full hour, so that nodes agree on it)
// are left out. Any thread; the store must outlive the call. Errors: unavailable (no content here,
// or none yet), io (the store is damaged; the detail says where).
result<content_hash> hash_content(persistence::store& data, std::uint16_t shard, timestamp_ms now);

}  // namespace omnicart::cluster
