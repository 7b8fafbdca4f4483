#pragma once

#include <string>
#include <vector>

#include "http/shop.hpp"

namespace omnicart::http {

// Both answer the fault of a question of theirs that nobody could answer: without that word the caller's own orders would
// look as if there were none.

// The guest sessions whose orders count as the caller's, each once, in order.
task<result<std::vector<std::string>>> guests_of(const shop& in, const authority& who);

// As whom to ask for the order: as the guest who placed it, when the caller absorbed that guest's session.
task<result<caller>> asker_of(const shop& in, const authority& who, const std::string& order_id);

}  // namespace omnicart::http
