#pragma once

#include <string>
#include <vector>

#include "http/shop.hpp"

namespace omnicart::http {

// The guest sessions whose orders count as the caller's, each once.
task<std::vector<std::string>> guests_of(const shop& in, const authority& who);

// As whom to ask for the order: as the guest who placed it, when the caller absorbed that guest's session.
task<caller> asker_of(const shop& in, const authority& who, const std::string& order_id);

}  // namespace omnicart::http
