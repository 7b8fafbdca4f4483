#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/server/limits.hpp"
#include "http/server/message.hpp"

namespace omnicart::http {

// Why bytes are not a request this server takes.
struct parse_error {
  int status = 0;  // 0: no error
  std::string_view code;
  std::string_view detail;
  explicit operator bool() const { return status != 0; }
};

// The head of a request. Views into the bytes given to parse().
struct request_head {
  std::string_view method_name;
  std::string_view target;
  int version = 11;  // 10 or 11
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

// HTTP/1.x requests (RFC 9112) by Boost.Beast's parser, with the shapes that make two parsers
// disagree refused: obs-fold, bare CR or LF, Content-Length with Transfer-Encoding, codings other
// than chunked, several or no Host. One per connection.
class request_parser {
 public:
  request_parser();
  ~request_parser();

  // Finds the end of the head in the unread bytes: its length, or 0 while it is incomplete.
  // Remembers how far it looked, so a head that trickles in costs linear time. Refuses what already
  // cannot become a head.
  std::size_t find_head(std::string_view unread, const server_limits& limits, parse_error& failure);

  // `head` is complete and stays where it is while the views are used. `fields` is overwritten.
  parse_error parse(std::string_view head, const server_limits& limits, request_head& out,
                    std::vector<name_value>& fields);

  // Takes what it can of a chunked body: the bytes consumed. Decoded bytes are appended to `body`.
  // `done` is set at the end of the trailers.
  std::size_t read_chunks(std::string_view unread, std::string& body, bool& done,
                          parse_error& failure);

  // Ready for the next request of the connection.
  void reset();

 private:
  class sink;
  std::unique_ptr<sink> sink_;
  std::size_t scanned_ = 0;
};

}  // namespace omnicart::http
