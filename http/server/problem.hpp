#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/server/message.hpp"

namespace omnicart::http {

// One bad member of a body or one bad parameter.
struct field_error {
  std::string pointer;  // JSON Pointer (RFC 6901); "" is the whole body
  std::string code;     // stable: unknown_member, missing, wrong_type, duplicate_key, out_of_range,
                        // too_long, malformed
  std::string detail;

  friend bool operator==(const field_error&, const field_error&) = default;
};

// An error answer (RFC 9457). `code` is stable and what programs branch on; `detail` is for people
// and never holds paths, addresses or versions of this node.
struct problem {
  int status = 500;
  std::string code;
  std::string detail;
  std::string title;  // empty: the standard phrase of the status
  bool retryable = false;
  std::vector<field_error> errors;
  std::uint32_t retry_after_s = 0;  // 0: no Retry-After
  std::string members;  // further members as JSON text, e.g. `"order_id":"…"`; "" for none
};

// The phrase of RFC 9110 section 15 ("Not Found"); "Error" for numbers it does not name.
std::string_view status_phrase(int status);

// application/problem+json with type urn:omnicart:problem:<code>; a 401 with WWW-Authenticate.
response problem_response(const problem& what, std::string_view request_id);

// 400 invalid_body with every bad member found.
response invalid_body_response(std::vector<field_error> errors, std::string_view request_id);

}  // namespace omnicart::http
