#pragma once

#include "tools/omnicartctl/operator_client.hpp"
#include "tools/omnicartctl/run.hpp"

// What is kept of persons: `user export` and `user erase`, by way of the shop's public front. Exit code failed for a user or
// an order that there is not, and for what the shop refuses.
namespace omnicart::ctl {

outcome<exit_code> export_user(const command_line& given, operator_client& node, const surroundings& with);
// Asks first, unless told not to.
outcome<exit_code> erase_user(const command_line& given, operator_client& node, const surroundings& with);

}  // namespace omnicart::ctl
