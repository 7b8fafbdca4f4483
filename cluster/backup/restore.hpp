#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "cluster/backup/backup_check.hpp"
#include "runtime/clock.hpp"

namespace omnicart::cluster {

struct restore_plan {
  std::string data_directory;                // made when missing
  std::map<std::string, std::string> files;  // put into it besides, readable by their owner only
};

// Fills the empty data directory of a node with a backup. The node that is started on it founds a
// cluster of its own, with a record of its own, in which each shard's log begins at the cut; others
// may join it then. Nothing of the consensus of the old cluster is taken over.
//
//   DIR/restoring/db   while it is being filled; a node refuses to start beside it
//   (persistence::store::open) DIR/db             once it is whole
//
// Every record is checked on the way and goes to `seen`, whose error ends it. `progress` gets the
// bytes written so far. Errors: precondition_failed (the directory is not empty), malformed (the
// backup is damaged), io, storage_full. What an error leaves behind is refused by nodes and further
// restores: remove it.
status restore_backup(const backup_folder& from, const backup_manifest& what,
                      const restore_plan& plan, const clock& time, const record_visitor& seen,
                      const std::function<void(std::uint64_t bytes)>& progress = {});

// Refusal precondition_failed: a restore could not go there, because something is in it.
status check_restorable(const std::string& data_directory);

}  // namespace omnicart::cluster
