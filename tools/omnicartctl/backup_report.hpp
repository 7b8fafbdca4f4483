#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cluster/backup/backup_check.hpp"
#include "tools/backup/ledger_comparison.hpp"

namespace omnicart::ctl {

// A backup in a few lines, from its JSON (tools/backup/backup_json.hpp).
std::string report_backup(const nlohmann::ordered_json& backup);
// What `backup verify` found.
std::string report_check(const cluster::backup_report& found, const std::string& folder,
                         const std::string& id);
nlohmann::ordered_json check_json(const cluster::backup_report& found, const std::string& folder,
                                  const std::string& id);
// What the provider did and the backup does not know; nothing for nothing.
std::string report_unknown(const backup::ledger_comparison& compared);
// What the backup's orders were paid with and the provider does not have; nothing for nothing.
std::string report_missing(const backup::ledger_comparison& compared);
// {known, awaited, unknown: [...], missing_count, missing: [...]}, of missing ones the first 1,000.
nlohmann::ordered_json unknown_json(const backup::ledger_comparison& compared);

}  // namespace omnicart::ctl
