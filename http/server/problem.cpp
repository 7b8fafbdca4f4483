#include "http/server/problem.hpp"

#include <utility>

#include "http/server/json_writer.hpp"

namespace omnicart::http {

std::string_view status_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Error";
  }
}

response problem_response(const problem& what, std::string_view request_id) {
  response answer;
  answer.status = what.status;
  answer.content_type = "application/problem+json";
  json_writer json(answer.body);
  json.begin_object()
      .member("type", "urn:omnicart:problem:" + what.code)
      .member("title",
              what.title.empty() ? status_phrase(what.status) : std::string_view(what.title))
      .member("status", what.status);
  json.member("detail", what.detail.empty() ? status_phrase(what.status) : std::string_view(what.detail))
      .member("code", what.code)
      .member("request_id", request_id)
      .member("retryable", what.retryable);
  if (!what.errors.empty()) {
    json.key("errors").begin_array();
    for (const auto& e : what.errors) {
      json.begin_object()
          .member("pointer", e.pointer)
          .member("code", e.code)
          .member("detail", e.detail)
          .end_object();
    }
    json.end_array();
  }
  if (!what.members.empty()) json.raw_members(what.members);
  json.end_object();
  // A 401 names a way to be let in, whatever was wrong (RFC 9110 section 15.5.2).
  if (what.status == 401) answer.add_header("WWW-Authenticate", "Bearer");
  if (what.retry_after_s > 0) answer.add_header("Retry-After", std::to_string(what.retry_after_s));
  return answer;
}

response invalid_body_response(std::vector<field_error> errors, std::string_view request_id) {
  return problem_response({.status = 400,
                           .code = "invalid_body",
                           .detail = "The request body is not what this call takes; see errors.",
                           .errors = std::move(errors)},
                          request_id);
}

}  // namespace omnicart::http
