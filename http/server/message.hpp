#pragma once

#include <utility>

#include <array>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace omnicart::http {

enum class method : std::uint8_t { get, head, post, put, patch, delete_, options, other };

// "GET"; "" for other.
std::string_view to_string(method verb);
method parse_method(std::string_view text);  // case matters (RFC 9110 section 9.1)

struct name_value {
  std::string_view name;
  std::string_view value;
};

// The body of a streaming route, read piece by piece at the handler's pace (the peer is slowed by
// TCP).
class body_source {
 public:
  virtual bool ready() = 0;
  virtual void wait(std::coroutine_handle<> waiter) = 0;
  // The next piece, valid until the following read; empty at the end. Fault: timeout, io (the peer
  // is gone or broke the framing). Refusal: overflow (the route's body_bytes_max).
  virtual result<std::string_view> take() = 0;

 protected:
  ~body_source() = default;
};

struct body_awaiter {
  body_source* source;
  bool await_ready() { return source->ready(); }
  void await_suspend(std::coroutine_handle<> waiter) { source->wait(waiter); }
  result<std::string_view> await_resume() { return source->take(); }
};

// A request as handlers see it. All views live as long as the handler's task does, also when the
// peer has gone. Lists keep their memory from one request of a connection to the next.
struct request {
  method verb = method::other;
  std::string_view method_name;
  std::string_view target;  // as sent
  std::string_view path;    // as sent, without query
  std::string_view
      route;  // the pattern that matched, e.g. "/api/cart/items/{product_id}"; "" for none
  std::vector<name_value> params;        // of the pattern, percent-decoded
  std::vector<name_value> query_params;  // in order, percent-decoded, '+' is a space
  std::vector<name_value> fields;        // header fields in order, values trimmed
  std::string_view body;                 // whole; empty on a streaming route
  std::string_view peer;                 // the client's address, without port
  std::string_view request_id;
  std::string_view trace_id;  // 32 hexadecimal digits (W3C trace context)
  std::string_view span_id;   // 16 hexadecimal digits: this node's span
  std::chrono::steady_clock::time_point started;
  body_source* stream = nullptr;
  bool secure = false;  // came over TLS
  // What an outer handler found out for those within it; the server knows nothing of it.
  std::shared_ptr<const void> known;

  // A path parameter; a bug if the pattern has none of this name.
  std::string_view param(std::string_view name) const;
  // The first of this name.
  std::optional<std::string_view> query(std::string_view name) const;
  // The first of this name (case-insensitive).
  std::optional<std::string_view> header(std::string_view name) const;
  // All of this name, joined by ", " (RFC 9110 section 5.3); "" for none.
  std::string header_list(std::string_view name) const;
  std::size_t header_count(std::string_view name) const;

  // Streaming routes: `while (true) { auto piece = co_await req.read_body(); … }`.
  body_awaiter read_body() { return body_awaiter{stream}; }
};

struct response {
  int status = 200;
  std::string body;
  std::string_view content_type =
      "application/json";          // a literal, or text that outlives the answer
  std::string headers;             // further lines, each "Name: value\r\n"; see add_header
  bool has_cache_control = false;  // otherwise no-store is added
  bool close = false;              // end the connection after this answer

  // Appends a field; CR, LF and NUL in `value` become spaces, so no field can be smuggled in.
  response& add_header(std::string_view name, std::string_view value);
};

inline response json_response(int status, std::string body) {
  response answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

// ASCII only, as field names and tokens are.
bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace omnicart::http
