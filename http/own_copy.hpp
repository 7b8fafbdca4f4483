#pragma once

#include <string>

#include "http/server/json_writer.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

// Waits until this node's store has all that was acknowledged on any node before the call (read
// index), as lists do. "": it has. Else why it may lack the newest of it: operators are shown what
// there is all the same, since they look at nodes that are in trouble. For operators' threads only.
std::string behind(const shop& in);

// Adds it to an answer: {…, "behind": "…"}; nothing when it is empty.
void write_behind(json_writer& json, const std::string& why);

}  // namespace omnicart::http
