#pragma once

#include "tools/omnicartctl/operator_client.hpp"
#include "tools/omnicartctl/run.hpp"

namespace omnicart::ctl {

// `cluster …`: what `given.what` names, asked of one node for the whole cluster. Failures: those of
// operator_client, usage (nobody can be asked and --yes is absent), failed (the person said no).
outcome<exit_code> run_cluster(const command_line& given, operator_client& node,
                               const surroundings& with);

// USER@HOST of this terminal.
std::string who_is_here();

}  // namespace omnicart::ctl
