#include "http/server/response_writer.hpp"

#include <charconv>

#include "http/server/problem.hpp"

namespace omnicart::http {
namespace {

constexpr std::string_view security_lines =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n";
constexpr std::string_view policy_line = "Content-Security-Policy: default-src 'none'\r\n";
constexpr std::string_view transport_line = "Strict-Transport-Security: max-age=31536000\r\n";

void append_number(std::string& out, std::size_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += value;
  out += "\r\n";
}

}  // namespace

void append_response(std::string& out, const response& answer, const answer_frame& frame) {
  const bool bodyless = answer.status == 204 || answer.status == 304;
  out += frame.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(answer.status));
  out += ' ';
  append_line(out, {}, status_phrase(answer.status));
  out += frame.date_line;
  if (!bodyless) {
    if (!answer.content_type.empty()) append_line(out, "Content-Type: ", answer.content_type);
    out += "Content-Length: ";
    append_number(out, answer.body.size());
    out += "\r\n";
  }
  append_line(out, "X-Request-Id: ", frame.request_id);
  out += "traceparent: 00-";
  out += frame.trace_id;
  out += '-';
  out += frame.span_id;
  out += '-';
  append_line(out, {}, frame.trace_flags);
  out += security_lines;
  // A handler that serves a page states its own policy.
  if (answer.headers.find("Content-Security-Policy:") == std::string::npos) out += policy_line;
  if (!answer.has_cache_control) out += "Cache-Control: no-store\r\n";
  if (frame.secure) out += transport_line;
  if (!frame.keep_alive) {
    out += "Connection: close\r\n";
  } else if (frame.version == 10) {
    out += "Connection: keep-alive\r\n";
  }
  out += frame.cors_lines;
  out += answer.headers;
  out += "\r\n";
  if (!bodyless && !frame.head_only) out += answer.body;
}

}  // namespace omnicart::http
