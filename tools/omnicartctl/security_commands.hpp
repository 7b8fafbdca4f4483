#pragma once

#include "tools/omnicartctl/operator_client.hpp"
#include "tools/omnicartctl/run.hpp"

namespace omnicart::ctl {

// `keys …` and `audit …`.
outcome<exit_code> run_security(const command_line& given, operator_client& node,
                                const surroundings& with);

}  // namespace omnicart::ctl
