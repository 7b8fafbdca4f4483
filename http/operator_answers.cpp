#include "http/operator_answers.hpp"

#include <httplib.h>

#include <cerrno>
#include <cstdlib>

#include "http/server/problem.hpp"
#include "http/shop.hpp"

namespace omnicart::http {

void answer_problem(httplib::Response& out, int status, std::string_view code, std::string_view detail) {
  problem what;
  what.status = status;
  what.code = code;
  what.detail = detail;
  const response shown = problem_response(what, "");
  out.status = status;
  out.set_content(shown.body, std::string(shown.content_type).c_str());
}

void answer_json(httplib::Response& out, int status, const std::string& body) {
  out.status = status;
  out.set_content(body, "application/json");
}

void answer_failure(httplib::Response& out, const error& why) {
  request none;
  const response shown = failure_response(why, none);
  out.status = shown.status;
  out.set_content(shown.body, std::string(shown.content_type).c_str());
}

std::optional<std::int64_t> number_of(const httplib::Request& in, const char* name) {
  if (!in.has_param(name)) return std::nullopt;
  const std::string text = in.get_param_value(name);
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (errno != 0 || end == text.c_str() || *end != '\0') return std::nullopt;
  return value;
}

}  // namespace omnicart::http
