#pragma once

#include <string>

#include "tools/omnicartctl/exit_code.hpp"

namespace omnicart::ctl {

// Asks on standard error and reads a line of the terminal: true for "y" or "yes". Failure: usage,
// when standard input is no terminal: a script says --yes. Blocks.
outcome<bool> ask_confirmation(const std::string& question);

}  // namespace omnicart::ctl
