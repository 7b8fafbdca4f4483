#pragma once

#include <string>

namespace omnicart {

// What `--version` prints in every program: "omnicart 0.1.0 (abc1234)". The commit is the one the
// sources were built from; "unknown" outside a git checkout. Thread-safe.
std::string version_text();

// The number alone: "0.1.0".
std::string version_number();

}  // namespace omnicart
