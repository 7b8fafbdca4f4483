#pragma once

#include "tools/omnicartctl/operator_client.hpp"
#include "tools/omnicartctl/run.hpp"

namespace omnicart::ctl {

// `locations import`: puts each line of the file (gzip or plain) through the shop's own front with
// a token of this node's, one after the other. What is there already and equal changes nothing, so
// it may be run again.
outcome<exit_code> import_locations(const command_line& given, operator_client& node,
                                    const surroundings& with);

// `locations list`: all of them, closed ones too. Text goes out page by page.
outcome<exit_code> list_locations(const command_line& given, operator_client& node,
                                  const surroundings& with);

}  // namespace omnicart::ctl
