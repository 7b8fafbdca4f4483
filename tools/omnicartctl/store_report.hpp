#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace omnicart::persistence {
struct verify_report;
}

namespace omnicart::ctl {

// What `store verify` found, for a person: verdict, counts, then every fault with where it is.
// `ledger_entries`: of the simulated provider, when there is one.
std::string report_store(const persistence::verify_report& found,
                         std::optional<std::uint64_t> ledger_entries, const std::string& directory);

// The same for a program: directory, sound, counts, problem_count, problems [{where, what}], notes;
// ledger_entries when there is a ledger.
nlohmann::ordered_json store_json(const persistence::verify_report& found,
                                  std::optional<std::uint64_t> ledger_entries,
                                  const std::string& directory);

}  // namespace omnicart::ctl
