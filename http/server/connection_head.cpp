#include <algorithm>

#include "http/server/connection.hpp"
#include "http/server/headers.hpp"
#include "http/server/problem.hpp"

// What a connection makes of a request's head: its ids, target, route, and every refusal that needs
// no handler.
namespace omnicart::http {
namespace {

constexpr std::string_view exposed_lines =
    "Access-Control-Expose-Headers: ETag, Location, Retry-After, X-Request-Id, "
    "Idempotent-Replayed, RateLimit, RateLimit-Policy\r\n";
constexpr std::string_view preflight_lines =
    "Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, If-Match, "
    "If-None-Match, Prefer, "
    "X-Request-Id, traceparent\r\n";

}  // namespace

// The ids an answer carries, also when nothing else could be read.
void connection::name_request() {
  ids_.clear();
  ids_.reserve(96);
  const auto sent = request_.header("X-Request-Id");
  const bool own = !sent || !is_request_id(*sent);
  const auto parent = request_.header("traceparent");
  const auto trace = parent ? parse_traceparent(*parent) : std::nullopt;
  auto& ids = loop_.ids();
  if (own) {
    append_hex(ids_, ids.next());
    append_hex(ids_, ids.next());
  }
  const auto trace_at = ids_.size();
  if (!trace) {
    append_hex(ids_, ids.next());
    append_hex(ids_, ids.next() | 1);
  }
  const auto span_at = ids_.size();
  append_hex(ids_, ids.next() | 1);
  const std::string_view all = ids_;
  request_.request_id = own ? all.substr(0, 32) : *sent;
  request_.trace_id = trace ? trace->trace_id : all.substr(trace_at, 32);
  request_.span_id = all.substr(span_at, 16);
  trace_flags_ = trace ? trace->flags : "00";
  if (from_proxy_) {
    client_ = core_.proxies.client_of(request_, peer_);
    request_.peer = client_;
  }
  request_.secure = tls_ != nullptr;
}

// Everything that can be said before a handler runs. Sets the route and its body limit.
std::optional<response> connection::refuse_request(std::size_t& body_limit) {
  route_ = nullptr;
  request_.route = {};
  const auto refusal = [&](int status, const char* code, const char* detail) {
    return problem_response({.status = status, .code = code, .detail = detail},
                            request_.request_id);
  };
  if (!split_target()) return refusal(400, "malformed_request", "The request target is malformed.");
  if (request_.path == "*") return answer_options("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
  const auto match =
      core_.routes.match(request_.verb, request_.path, request_.params, decoded_path_);
  if (!core_.cors.origins.empty()) cors_lines(match.allow);
  if (auto refused = refuse_route(match)) return refused;
  route_ = match.found;
  request_.route = route_->pattern;
  const auto& options = route_->options;
  if (options.body_bytes_max > 0) body_limit = options.body_bytes_max;
  if (options.streaming && options.body_bytes_max == 0) body_limit = ~std::size_t{0};
  const auto question = request_.target.find('?');
  request_.query_params.clear();
  if (question != std::string_view::npos && !decode_query(request_.target.substr(question + 1))) {
    return refusal(400, "malformed_request", "The query has a malformed percent escape.");
  }
  if (const auto accept = request_.header("Accept"); accept && *accept != "*/*") {
    if (!accepts(request_.header_list("Accept"), options.produces)) {
      return refusal(406, "not_acceptable", "The answer is JSON, which Accept does not take.");
    }
  }
  if (head_.has_body()) {
    if (auto refused = refuse_body(*route_, body_limit)) return refused;
  }
  return std::nullopt;
}

std::optional<response> connection::refuse_route(const route_match& match) {
  switch (match.what) {
    case route_match::outcome::found:
      return std::nullopt;
    case route_match::outcome::bad_escape:
      return problem_response({.status = 400,
                               .code = "malformed_request",
                               .detail = "The path has a malformed percent escape."},
                              request_.request_id);
    case route_match::outcome::no_path:
      return problem_response(
          {.status = 404, .code = "no_such_path", .detail = "Nothing is served here."},
          request_.request_id);
    case route_match::outcome::no_method:
      break;
  }
  if (request_.verb == method::options) return answer_options(match.allow);
  auto refused = problem_response({.status = 405,
                                   .code = "method_not_allowed",
                                   .detail = "See Allow for the methods of this path."},
                                  request_.request_id);
  refused.add_header("Allow", match.allow);
  return refused;
}

std::optional<response> connection::refuse_body(const route& found, std::size_t body_limit) {
  const auto type = request_.header("Content-Type");
  if (!found.options.consumes.empty() &&
      (!type || !media_type_matches(*type, found.options.consumes))) {
    return problem_response({.status = 415,
                             .code = "unsupported_media_type",
                             .detail = "This call takes " + found.options.consumes + " in UTF-8."},
                            request_.request_id);
  }
  if (const auto coding = request_.header("Content-Encoding");
      coding && !equals_ignoring_case(*coding, "identity")) {
    return problem_response({.status = 415,
                             .code = "unsupported_media_type",
                             .detail = "Bodies are taken without a content coding."},
                            request_.request_id);
  }
  if (head_.content_length.value_or(0) > body_limit) {
    auto refused = problem_response({.status = 413,
                                     .code = "body_too_large",
                                     .detail = "The body is larger than this call takes."},
                                    request_.request_id);
    refused.close = true;
    return refused;
  }
  return std::nullopt;
}

response connection::answer_options(std::string_view allow) {
  response answer;
  answer.status = 204;
  answer.add_header("Allow", allow);
  return answer;
}

// Origin, absolute and asterisk form (RFC 9112 section 3.2).
bool connection::split_target() {
  auto target = request_.target;
  if (target == "*") {
    request_.path = target;
    return request_.verb == method::options;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() ||
        !equals_ignoring_case(target.substr(0, scheme.size()), scheme))
      continue;
    target.remove_prefix(scheme.size());
    const auto end = target.find_first_of("/?");
    target = end == target.npos ? std::string_view("/") : target.substr(end);
    break;
  }
  request_.path = target.substr(0, target.find('?'));
  if (target.starts_with('?')) request_.path = "/";
  return request_.path.starts_with('/');
}

bool connection::decode_query(std::string_view query) {
  decoded_query_.clear();
  decoded_query_.reserve(query.size());  // decoding never lengthens: views into it stay valid
  const auto decode = [&](std::string_view text, std::string_view& out) {
    const auto start = decoded_query_.size();
    if (!percent_decode(text, true, decoded_query_)) return false;
    out = std::string_view(decoded_query_).substr(start);
    return true;
  };
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    name_value param;
    if (!decode(pair.substr(0, equals), param.name)) return false;
    if (equals != pair.npos && !decode(pair.substr(equals + 1), param.value)) return false;
    request_.query_params.push_back(param);
  }
  return true;
}

void connection::cors_lines(std::string_view allow) {
  cors_lines_ = "Vary: Origin\r\n";
  const auto origin = request_.header("Origin");
  const auto& allowed = core_.cors.origins;
  if (!origin || std::find(allowed.begin(), allowed.end(), *origin) == allowed.end()) return;
  cors_lines_ += "Access-Control-Allow-Origin: ";
  cors_lines_ += *origin;
  cors_lines_ += "\r\n";
  if (core_.cors.credentials) cors_lines_ += "Access-Control-Allow-Credentials: true\r\n";
  if (request_.verb != method::options || !request_.header("Access-Control-Request-Method")) {
    cors_lines_ += exposed_lines;
    return;
  }
  cors_lines_ += "Access-Control-Allow-Methods: ";
  cors_lines_ += allow;
  cors_lines_ += "\r\n";
  cors_lines_ += preflight_lines;
  cors_lines_ += "Access-Control-Max-Age: " + std::to_string(core_.cors.max_age_s) + "\r\n";
}

}  // namespace omnicart::http
