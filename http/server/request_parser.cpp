#include "http/server/request_parser.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <limits>

namespace omnicart::http {
namespace {

namespace beast = boost::beast;

constexpr std::size_t chunk_line_bytes_max =
    4 * 1024;  // size, extensions, and likewise the trailers

// Beast 1.74 asserts that a last chunk whose line it has seen comes back with all of its end, and
// an assertion ends the process. So it does not see "0 CR LF" before the fifth byte is there.
bool is_part_of_last_chunk(std::string_view unread) {
  constexpr std::size_t last_chunk_bytes_min = 5;  // 0 CR LF CR LF
  if (unread.size() >= last_chunk_bytes_min || unread.front() != '0') return false;
  const auto line_end = unread.find('\r');
  return line_end != unread.npos && unread.substr(line_end).starts_with("\r\n");
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

parse_error malformed(std::string_view detail) { return {400, "malformed_request", detail}; }

bool is_host(std::string_view value) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~%!$&'()*+;=:[]").find(c) != std::string_view::npos;
  };
  return std::all_of(value.begin(), value.end(), allowed);
}

bool is_target(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

// The version is wrong rather than the whole line when the line ends like "HTTP/d.d".
bool names_other_version(std::string_view head) {
  const auto line = head.substr(0, head.find('\r'));
  const auto at = line.rfind(" HTTP/");
  if (at == line.npos || line.size() != at + 9) return false;
  const auto digit = [&](std::size_t i) { return line[i] >= '0' && line[i] <= '9'; };
  return digit(at + 6) && line[at + 7] == '.' && digit(at + 8);
}

parse_error of_beast(beast::error_code code, std::string_view head) {
  using beast::http::error;
  if (code == error::bad_method) return malformed("The method is not a token.");
  if (code == error::bad_target) return malformed("The request target is malformed.");
  if (code == error::bad_version) {
    if (names_other_version(head))
      return {505, "version_not_supported", "This server speaks HTTP/1.1 and 1.0."};
    return malformed("The request line is malformed.");
  }
  if (code == error::bad_field) return malformed("A header name is malformed.");
  if (code == error::bad_value) return malformed("A header value is malformed.");
  if (code == error::bad_content_length)
    return malformed("Content-Length is malformed or contradicted.");
  if (code == error::bad_transfer_encoding) return malformed("Transfer-Encoding is contradicted.");
  if (code == error::bad_chunk || code == error::bad_chunk_extension)
    return malformed("A chunk is malformed.");
  return malformed("The request is malformed.");
}

}  // namespace

class request_parser::sink final : public beast::http::basic_parser<true> {
 public:
  sink() {
    eager(true);
    header_limit(std::numeric_limits<std::uint32_t>::max());  // find_head has checked
    body_limit(std::numeric_limits<std::uint64_t>::max());    // the connection counts
  }

  request_head* head = nullptr;
  std::vector<name_value>* fields = nullptr;
  std::string* body = nullptr;
  std::string_view bytes;
  std::size_t hosts = 0;
  std::size_t fields_max = 0;
  parse_error failure;

 private:
  using code = beast::error_code;

  void refuse(parse_error why, code& ec) {
    failure = why;
    ec = beast::http::error::bad_value;
  }
  void on_request_impl(beast::http::verb, beast::string_view name, beast::string_view target,
                       int version, code& ec) override {
    head->method_name = view(name);
    head->target = view(target);
    head->version = version;
    if (!is_target(head->target)) refuse(malformed("The request target is malformed."), ec);
  }
  void on_response_impl(int, beast::string_view, int, code&) override {}

  // Beast joins folded lines, into memory of its own when both have text; RFC 9112 section 5.2 lets
  // us refuse them.
  bool folded(beast::string_view name, beast::string_view value) const {
    const char* from = name.data() + name.size();
    const char* to = value.data();
    if (to < from || to > bytes.data() + bytes.size()) return true;
    return std::find(from, to, '\r') != to;
  }
  void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                     code& ec) override {
    if (head == nullptr) return;  // a trailer: framed correctly, and dropped
    if (folded(name, value)) return refuse(malformed("A header value is folded."), ec);
    if (fields->size() == fields_max) {
      return refuse({431, "headers_too_large", "The request has too many header fields."}, ec);
    }
    fields->push_back({.name = view(name), .value = view(value)});
    special_field(field, fields->back().value, ec);
  }
  void special_field(beast::http::field name, std::string_view value, code& ec) {
    using beast::http::field;
    if (name == field::host) {
      if (++hosts > 1 || !is_host(value))
        refuse(malformed("Host is malformed or given twice."), ec);
    } else if (name == field::transfer_encoding) {
      if (!equals_ignoring_case(value, "chunked")) {
        refuse({501, "coding_not_supported", "The only transfer coding taken is chunked."}, ec);
      }
    } else if (name == field::content_length) {
      if (value.find_first_not_of("0123456789") != value.npos) {
        refuse(malformed("Content-Length is not a number."), ec);
      }
    } else if (name == field::expect) {
      head->expects_continue = equals_ignoring_case(value, "100-continue");
      if (!head->expects_continue) {
        refuse({417, "expectation_failed", "The only expectation met is 100-continue."}, ec);
      }
    }
  }
  void on_header_impl(code& ec) override {
    head->chunked = chunked();
    head->keep_alive = keep_alive();
    if (const auto length = content_length()) head->content_length = *length;
    if (head->version == 11 && hosts == 0) return refuse(malformed("Host is missing."), ec);
    if (head->version == 10 && head->chunked) refuse(malformed("HTTP/1.0 has no chunks."), ec);
    if (head->version == 10) head->expects_continue = false;
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, code&) override {}
  std::size_t on_body_impl(beast::string_view piece, code&) override { return piece.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view piece, code&) override {
    body->append(piece.data(), piece.size());
    return piece.size();
  }
  void on_finish_impl(code&) override {}
};

request_parser::request_parser() = default;
request_parser::~request_parser() = default;

void request_parser::reset() { scanned_ = 0; }

std::size_t request_parser::find_head(std::string_view unread, const server_limits& limits,
                                      parse_error& failure) {
  const auto from = scanned_ > 3 ? scanned_ - 3 : 0;
  const auto end = unread.find("\r\n\r\n", from);
  const auto length = end == unread.npos ? 0 : end + 4;
  // The line is judged before the whole, so that a long target is told from long fields.
  const auto line = unread.substr(0, limits.uri_bytes_max + 32).find('\r');
  if (line == unread.npos && unread.size() > limits.uri_bytes_max + 32) {
    failure = {414, "uri_too_long", "The request target is too long."};
  } else if (length > limits.header_bytes_max ||
             (length == 0 && unread.size() >= limits.header_bytes_max)) {
    failure = {431, "headers_too_large", "The header fields are too large."};
  } else if (length == 0) {
    // A bare LF would otherwise wait for an end that never comes.
    for (auto at = unread.find('\n', scanned_); at != unread.npos; at = unread.find('\n', at + 1)) {
      if (at == 0 || unread[at - 1] != '\r') {
        failure = malformed("A line does not end in CR LF.");
        break;
      }
    }
  }
  scanned_ = length == 0 ? unread.size() : 0;
  return length;
}

parse_error request_parser::parse(std::string_view head, const server_limits& limits,
                                  request_head& out, std::vector<name_value>& fields) {
  out = {};
  fields.clear();
  // Beast's parser cannot be reused; keeping its memory saves the allocation.
  if (sink_) {
    std::destroy_at(sink_.get());
    std::construct_at(sink_.get());
  } else {
    sink_ = std::make_unique<sink>();
  }
  sink_->head = &out;
  sink_->fields = &fields;
  sink_->bytes = head;
  sink_->fields_max = limits.header_fields_max;
  beast::error_code code;
  sink_->put({head.data(), head.size()}, code);
  sink_->head = nullptr;
  if (sink_->failure) return sink_->failure;
  if (code && code != beast::http::error::need_more) return of_beast(code, head);
  if (!sink_->is_header_done()) return malformed("The head ends early.");
  if (out.target.size() > limits.uri_bytes_max)
    return {414, "uri_too_long", "The request target is too long."};
  return {};
}

std::size_t request_parser::read_chunks(std::string_view unread, std::string& body, bool& done,
                                        parse_error& failure) {
  if (unread.empty() || is_part_of_last_chunk(unread)) return 0;
  sink_->body = &body;
  beast::error_code code;
  const auto used = sink_->put({unread.data(), unread.size()}, code);
  done = sink_->is_done();
  if (code && code != beast::http::error::need_more) {
    failure = of_beast(code, {});
  } else if (!done && unread.size() - used > chunk_line_bytes_max) {
    failure = malformed("A chunk's line or the trailers are too long.");
  }
  return used;
}

}  // namespace omnicart::http
