#pragma once

#include "tools/omnicartctl/operator_client.hpp"
#include "tools/omnicartctl/run.hpp"

namespace omnicart::ctl {

// `orders …` and `payments …`, by the command line's verb.
outcome<exit_code> run_orders(const command_line& given, operator_client& node, const surroundings& with);

}  // namespace omnicart::ctl
