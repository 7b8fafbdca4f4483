#pragma once

#include "tools/omnicartctl/operator_client.hpp"
#include "tools/omnicartctl/run.hpp"

namespace omnicart::ctl {

// `backup create`: asks the node, and shows how it goes until it is done.
outcome<exit_code> create_backup(const command_line& given, operator_client& node,
                                 const surroundings& with);

// The others need no node, only the folder.
outcome<exit_code> list_backups(const command_line& given, const surroundings& with);
outcome<exit_code> verify_backup(const command_line& given, const surroundings& with);
outcome<exit_code> restore_backup(const command_line& given, const surroundings& with);

}  // namespace omnicart::ctl
