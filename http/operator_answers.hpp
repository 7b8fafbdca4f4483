#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

// How the operator port answers: JSON, and problems of the same shape as the public front's (RFC 9457).
namespace omnicart::http {

void answer_json(httplib::Response& out, int status, const std::string& body);
void answer_problem(httplib::Response& out, int status, std::string_view code, std::string_view detail);
// Codes as the public front maps them.
void answer_failure(httplib::Response& out, const error& why);

// A whole number among the query's parameters; nothing when it is absent or none.
std::optional<std::int64_t> number_of(const httplib::Request& in, const char* name);

}  // namespace omnicart::http
