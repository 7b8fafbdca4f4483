#pragma once

#include "tools/omnicartctl/operator_client.hpp"
#include "tools/omnicartctl/run.hpp"

namespace omnicart::ctl {

// `catalogue import`: reads the file (gzip or plain) piece by piece, sends it to the shop's own
// front with a token of this node's, and waits until it can be found. What is there already and
// equal changes nothing, so it may be run again.
outcome<exit_code> import_catalogue(const command_line& given, operator_client& node,
                                    const surroundings& with);

// `projection list` and `projection rebuild`.
outcome<exit_code> list_projections(const command_line& given, operator_client& node,
                                    const surroundings& with);
outcome<exit_code> rebuild_projection(const command_line& given, operator_client& node,
                                      const surroundings& with);

}  // namespace omnicart::ctl
