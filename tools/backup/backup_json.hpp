#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cluster/backup/manifest.hpp"

namespace omnicart::backup {

// A backup for a program: id, created, by, why, cluster, node, version, shard_count, paused_ms,
// tries, bytes, records, totals. The keys are left out.
nlohmann::ordered_json to_json(const cluster::backup_manifest& what);

}  // namespace omnicart::backup
