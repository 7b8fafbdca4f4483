#include "tools/omnicartctl/confirmation.hpp"

#include <unistd.h>

#include <iostream>

namespace omnicart::ctl {

outcome<bool> ask_confirmation(const std::string& question) {
  if (!::isatty(STDIN_FILENO))
    return fail_with(exit_code::usage,
                     "nobody can be asked here whether this is meant; give --yes");
  std::cerr << question << " [y/N] " << std::flush;
  std::string said;
  std::getline(std::cin, said);
  return said == "y" || said == "yes";
}

}  // namespace omnicart::ctl
