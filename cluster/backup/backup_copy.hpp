#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "cluster/backup/backup_folder.hpp"
#include "cluster/backup/cut_messages.hpp"
#include "persistence/store.hpp"

namespace rocksdb {
class ManagedSnapshot;
}

namespace omnicart::cluster {

// Sees every record of a shard once, families in the order of copied_families, keys rising. An
// error ends the reading.
using record_visitor = std::function<status(std::uint16_t shard, persistence::family,
                                            std::string_view key, std::string_view value)>;

// Of one step, or of several added up.
struct copy_progress {
  std::uint64_t bytes = 0;      // read
  std::uint64_t new_bytes = 0;  // of them, in chunks that the folder did not have
  std::uint64_t chunks = 0;
};

// Copies a shard, as it was at `moment`, into the folder. After each chunk `pace` is asked how it
// goes on: it may wait, and an error from it ends the copy. Errors: io, storage_full, pace's, the
// visitor's.
result<backed_up_shard> copy_shard(persistence::store& data, const marked_shard& at,
                                   const rocksdb::ManagedSnapshot& moment, backup_folder& into,
                                   const record_visitor& seen,
                                   const std::function<status(const copy_progress&)>& pace);

}  // namespace omnicart::cluster
