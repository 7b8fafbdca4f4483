#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "tools/omnicartctl/command_line.hpp"

namespace omnicart::ctl {

// Where a command writes, and whom it asks. All of it outlives the call.
struct surroundings {
  std::ostream& out;                               // what was asked for
  std::ostream& err;                               // one line when it cannot be had
  std::function<outcome<std::string>()> password;  // when the command line names no file of it
  // Whether a person means it; a failure when there is none to ask.
  std::function<outcome<bool>(const std::string& question)> confirm = {};
  std::function<bool(duration_ms)> pause = {};  // between two looks; false: no further ones
  bool terminal = false;  // `out` is one: what is shown again may replace what was
};

// Carries out one command; blocks until it is done.
exit_code run(const command_line& given, const surroundings& with);

}  // namespace omnicart::ctl
