#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "tools/omnicartctl/report.hpp"

// GET /cluster for a person at a terminal. Total, as report.hpp says. Unsound: a warning is severe.
namespace omnicart::ctl {

report report_cluster(const nlohmann::ordered_json& cluster, std::string_view url);
report report_nodes(const nlohmann::ordered_json& cluster);
report report_shards(const nlohmann::ordered_json& cluster);
// GET /cluster/hashes. Always sound.
report report_hashes(const nlohmann::ordered_json& hashes);

// "n3" for a node that the report names, else its number.
std::string name_in(const nlohmann::ordered_json& cluster, const nlohmann::ordered_json& id);

}  // namespace omnicart::ctl
