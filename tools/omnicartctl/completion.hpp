#pragma once

#include <string>
#include <string_view>

namespace omnicart::ctl {

// A completion script for "bash", "zsh" or "fish" (empty for any other shell), made from the
// grammar of the command line itself: commands, options, files, folders, roles.
std::string completion_script(std::string_view shell);

}  // namespace omnicart::ctl
