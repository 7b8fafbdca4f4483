#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace omnicart::persistence {
struct verify_report;
}

namespace omnicart::ctl {

// What `store verify` found, for a person: verdict, counts, then every fault with where it is.
std::string report_store(const persistence::verify_report& found, const std::string& directory);

// The same for a program: directory, sound, counts, problem_count, problems [{where, what}], notes.
nlohmann::ordered_json store_json(const persistence::verify_report& found,
                                  const std::string& directory);

}  // namespace omnicart::ctl
