#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace omnicart::http {

// One finished request, for metrics and the access log. Holds no query, header, cookie or body.
// Views live during the call only.
struct access_record {
  std::string_view method;  // "" when the request line was not readable
  std::string_view route;   // the pattern; "" for no route
  int status = 0;
  std::int64_t duration_us = 0;      // from the head's arrival to handing the answer to the socket
  std::uint64_t request_bytes = 0;   // of the body
  std::uint64_t response_bytes = 0;  // of the body
  std::string_view request_id;
  std::string_view trace_id;
  std::string_view peer;   // the client's address, as request::peer
  std::string_view fault;  // what an exception that left the handler said; "" normally
};

// Called on the connections' threads, several at once; must not block or throw.
using access_observer = std::function<void(const access_record&)>;

}  // namespace omnicart::http
