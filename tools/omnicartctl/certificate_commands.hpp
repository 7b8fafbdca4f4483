#pragma once

#include <iosfwd>

#include "tools/omnicartctl/command_line.hpp"

namespace omnicart::ctl {

// `cert init` and `cert node`: files in a folder of this machine, no node is asked. Failures: usage
// (a name or number that cannot be), failed (files are there already, or no authority), io.
outcome<exit_code> make_authority(const command_line& given, std::ostream& out);
outcome<exit_code> make_node_certificate(const command_line& given, std::ostream& out);

}  // namespace omnicart::ctl
