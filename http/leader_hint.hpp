#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

// Where a client may go with what this node could not do because another one leads the shard. The
// fault names that node (runtime/placement.hpp); on its way to a client the address of that node's
// public front is added.
namespace omnicart::http {

// Does nothing to errors that name no leader, and for an empty address.
void add_leader_address(error& why, std::string_view address);

// The member of a problem: "leader":{"node":2,"http":"10.0.0.2:8080"}, without http when no address
// was added. "" for errors that name no leader.
std::string leader_member(const error& why);

}  // namespace omnicart::http
