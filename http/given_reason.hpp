#pragma once

#include <string>
#include <vector>

#include "http/server/message.hpp"
#include "http/server/problem.hpp"

namespace omnicart::http {

// The body of a call that is made with a reason: {"reason": 1 to 300 bytes}, and nothing else. With
// the path it fits into an entry of the audit log. What is wrong with it is added to `errors`, and
// then the text is not to be used.
std::string given_reason(const request& req, std::vector<field_error>& errors);

}  // namespace omnicart::http
