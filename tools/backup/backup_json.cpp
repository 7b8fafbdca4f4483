#include "tools/backup/backup_json.hpp"

#include <nlohmann/json.hpp>

namespace omnicart::backup {

nlohmann::ordered_json to_json(const cluster::backup_manifest& what) {
  return {{"id", what.id},
          {"created", to_rfc3339(what.created)},
          {"by", what.by},
          {"why", what.why},
          {"cluster", what.cluster},
          {"node", what.node},
          {"version", what.version},
          {"shard_count", what.shard_count},
          {"paused_ms", what.paused.count()},
          {"tries", what.tries},
          {"bytes", what.bytes()},
          {"records", what.records()},
          {"totals", nlohmann::ordered_json::parse(cluster::totals_json(what.totals))}};
}

}  // namespace omnicart::backup
