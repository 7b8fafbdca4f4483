#include "http/server/connection.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

#include "http/server/async_reply.hpp"
#include "http/server/headers.hpp"
#include "http/server/problem.hpp"
#include "runtime/crash_point.hpp"

namespace omnicart::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t input_bytes_first = 2 * 1024;
constexpr std::size_t input_bytes_body = 16 * 1024;
constexpr std::size_t flush_bytes = 64 * 1024;     // pipelined answers are gathered up to this
constexpr std::size_t kept_bytes_max = 64 * 1024;  // larger buffers are not kept between requests
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view exposed_lines =
    "Access-Control-Expose-Headers: ETag, Location, Retry-After, X-Request-Id, "
    "Idempotent-Replayed\r\n";
constexpr std::string_view preflight_lines =
    "Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, If-Match, "
    "If-None-Match, Prefer, "
    "X-Request-Id, traceparent\r\n";

void append_hex(std::string& out, std::uint64_t number) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(number >> shift) & 15];
}

void shrink(std::string& text) {
  text.clear();
  if (text.capacity() > kept_bytes_max) text.shrink_to_fit();
}

}  // namespace

void input_buffer::consume(std::size_t count) {
  begin += count;
  if (begin == end) begin = end = 0;
}

std::pair<char*, std::size_t> input_buffer::room(std::size_t capacity_max) {
  if (begin > 0 && (end == capacity || begin == end)) {
    std::memmove(data.get(), data.get() + begin, end - begin);
    end -= begin;
    begin = 0;
  }
  if (end == capacity) {
    const auto grown = std::min(std::max(capacity * 2, input_bytes_first),
                                std::max(capacity_max, capacity + 1024));
    std::unique_ptr<char[]> larger(new char[grown]);
    if (end > 0) std::memcpy(larger.get(), data.get(), end);
    data = std::move(larger);
    capacity = grown;
  }
  return {data.get() + end, capacity - end};
}

connection::connection(server_core& core, event_loop& loop, registry& all, tcp::socket socket)
    : core_(core), loop_(loop), all_(all), socket_(std::move(socket)) {
  all_.insert(this);
  finish_.owner = this;
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  const auto endpoint = socket_.remote_endpoint(ignored);
  if (!ignored) peer_ = endpoint.address().to_string();
}

connection::~connection() {
  close();
  loop_.wheel().forget(*this);
  all_.erase(this);
}

void connection::start() {
  const auto& limits = loop_.limits();
  loop_.wheel().set(
      *this, event_loop::now_ms() + static_cast<std::uint64_t>(limits.header_timeout.count()));
  if (!core_.tls) return read_more();
  stage_ = stage::handshake;
  tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(socket_, *core_.tls);
  tls_->async_handshake(asio::ssl::stream_base::server,
                        [self = shared_from_this()](error_code failure) {
                          if (self->stage_ == stage::closed) return;
                          if (failure) return self->close();
                          self->stage_ = stage::head;
                          self->advance();
                        });
}

void connection::drain() {
  if (stage_ == stage::handshake ||
      (stage_ == stage::head && input_.empty() && !writing_ && out_.empty()))
    close();
}

void connection::destroy_task() {
  const auto self = std::move(self_);
  body_waiter_ = {};
  if (std::exchange(task_counted_, false)) core_.in_flight.fetch_sub(1, std::memory_order_relaxed);
  task_.reset();
  close();
}

// Works until the peer or the handler is needed again. Not re-entered: a handler that ends at once
// is picked up by the loop below, however many requests are pipelined.
void connection::advance() {
  if (advancing_) return;
  const auto self = shared_from_this();
  advancing_ = true;
  while (stage_ != stage::closed && !writing_) {
    bool more = !ending_;
    while (more && out_.size() < flush_bytes) more = step() && !ending_;
    if (stage_ == stage::closed || !flush()) break;
    if (ending_) {
      linger();
      break;
    }
    if (more) continue;
    if (stage_ != stage::handling || body_waiter_) {
      arm_read_deadline();
      read_more();
    }
    break;
  }
  advancing_ = false;
  if (stage_ == stage::closed && task_ended_) end_task_unseen();
}

// One transition; false when more bytes or the handler's answer are needed first.
bool connection::step() {
  switch (stage_) {
    case stage::head:
      return step_head();
    case stage::body:
    case stage::discard:
      return step_body();
    case stage::handling:
      return step_handling();
    case stage::handshake:
    case stage::lingering:
    case stage::closed:
      return false;
  }
  return false;
}

bool connection::step_head() {
  // Empty lines before a request are allowed (RFC 9112 section 2.2).
  while (!head_begun_ && input_.unread().starts_with("\r\n")) input_.consume(2);
  const auto unread = input_.unread();
  if (unread.empty()) return false;
  parse_error failure;
  const auto length = parser_.find_head(unread, loop_.limits(), failure);
  if (failure) {
    request_.started = std::chrono::steady_clock::now();
    name_request();
    fail(failure);
    return true;
  }
  if (length == 0) return false;
  input_.begin += length;  // not consume(): the views into the head stay
  begin_request(unread.substr(0, length));
  return true;
}

void connection::begin_request(std::string_view head) {
  request_.started = std::chrono::steady_clock::now();
  first_request_ = head_begun_ = false;
  const auto failure = parser_.parse(head, loop_.limits(), head_, request_.fields);
  name_request();
  if (failure) return fail(failure);
  request_.method_name = head_.method_name;
  request_.verb = parse_method(head_.method_name);
  request_.target = head_.target;
  std::size_t body_limit = loop_.limits().body_bytes_max;
  early_ = refuse_request(body_limit);
  body_limit_ = body_limit;
  body_done_ = !head_.has_body();
  body_left_ = head_.content_length.value_or(0);
  body_received_ = 0;
  body_since_ms_ = event_loop::now_ms(request_.started);
  streaming_ = !early_ && route_->options.streaming;
  if (!early_ && (body_done_ || streaming_)) return dispatch();
  if (early_ && body_done_) {
    stage_ = stage::handling;
    return;
  }
  // What is refused without need of its body: small bodies are read and dropped, so that the
  // connection lives on.
  if (early_ && (head_.expects_continue || early_->close || body_left_ > body_limit_)) {
    early_->close = true;
    stage_ = stage::handling;
    return;
  }
  stage_ = early_ ? stage::discard : stage::body;
  if (head_.expects_continue && input_.begin == input_.end) out_ += continue_line;
}

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
  request_.peer = peer_;
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

// The views into the head live on while the body is read: its memory is set aside.
void connection::detach_head() {
  if (head_memory_) return;
  const auto left = input_.unread();
  input_buffer fresh;
  fresh.capacity = std::max(input_bytes_body, left.size());
  fresh.data.reset(new char[fresh.capacity]);
  std::memcpy(fresh.data.get(), left.data(), left.size());
  fresh.end = left.size();
  head_memory_ = std::move(input_.data);
  input_ = std::move(fresh);
}

// Moves what has come of the body from the input to body_. Sets body_done_ or body_failure_.
void connection::pump_body() {
  if (body_done_ || body_failure_) return;
  detach_head();
  const auto before = body_.size();
  if (head_.chunked) {
    parse_error failure;
    input_.consume(parser_.read_chunks(input_.unread(), body_, body_done_, failure));
    if (failure) body_failure_ = make_error(base_errc::malformed, std::string(failure.detail));
  } else {
    const auto piece = input_.unread().substr(0, body_left_);
    if (stage_ != stage::discard) body_ += piece;
    body_left_ -= piece.size();
    body_received_ += piece.size();
    input_.consume(piece.size());
    body_done_ = body_left_ == 0;
    return;
  }
  body_received_ += body_.size() - before;
  if (stage_ == stage::discard) body_.clear();
  if (body_received_ > body_limit_)
    body_failure_ = make_error(base_errc::overflow, "the body is too large");
}

bool connection::step_body() {
  if (stage_ == stage::body && !head_.chunked && !head_memory_ &&
      input_.unread().size() >= body_left_) {
    request_.body = input_.unread().substr(0, body_left_);  // came with its head: no copy
    input_.begin += body_left_;
    body_received_ = body_left_;
    body_done_ = true;
    dispatch();
    return true;
  }
  if (stage_ == stage::body && !head_.chunked && body_.capacity() < head_.content_length) {
    body_.reserve(std::min<std::size_t>(*head_.content_length, 1024 * 1024));
  }
  pump_body();
  if (body_failure_) {
    const bool large = body_failure_->is(base_errc::overflow);
    fail(large ? parse_error{413, "body_too_large", "The body is larger than this call takes."}
               : parse_error{400, "malformed_request", "The body's framing is malformed."});
    return true;
  }
  if (!body_done_) return false;
  if (stage_ == stage::discard) {
    stage_ = stage::handling;
  } else {
    request_.body = body_;
    dispatch();
  }
  return true;
}

void connection::dispatch() {
  OMNICART_CRASH_POINT("after_http_request");
  stage_ = stage::handling;
  loop_.wheel().cancel(*this);
  if (core_.in_flight.fetch_add(1, std::memory_order_relaxed) >= loop_.limits().in_flight_max) {
    core_.in_flight.fetch_sub(1, std::memory_order_relaxed);
    core_.refused_requests.fetch_add(1, std::memory_order_relaxed);
    early_ = problem_response({.status = 503,
                               .code = "overloaded",
                               .detail = "Too many requests are under way.",
                               .retryable = true,
                               .retry_after_s = loop_.limits().retry_after_s},
                              request_.request_id);
    early_->close = !body_done_;
    return;
  }
  task_counted_ = true;
  task_ended_ = false;
  request_.stream = streaming_ ? this : nullptr;
  self_ = shared_from_this();
  try {
    task_ = route_->handle(request_);
    task_.start([](void* self) { static_cast<connection*>(self)->task_done(); }, this);
  } catch (const std::exception&
               failure) {  // a handler that is no coroutine may throw before there is a task
    fault_ = failure.what();
    task_.reset();
    task_done();
  }
}

// The handler has ended; its frame is still on the stack of whoever resumed it.
void connection::task_done() {
  task_ended_ = true;
  core_.in_flight.fetch_sub(1, std::memory_order_relaxed);
  task_counted_ = false;
  if (!advancing_) loop_.push_after(&finish_);
}

response connection::take_answer() {
  int status = 500;
  try {
    if (task_) return task_.take();
  } catch (const reply_lost& lost) {
    fault_ = lost.what();
    status = 503;
  } catch (const std::exception& failure) {
    fault_ = failure.what();
  } catch (...) {
    fault_ = "an exception of unknown type";
  }
  const bool later = status == 503;
  return problem_response(
      {.status = status,
       .code = later ? "unavailable" : "internal",
       .detail = later ? "The node could not finish the request." : "The request failed here.",
       .retryable = later,
       .retry_after_s = later ? loop_.limits().retry_after_s : 0},
      request_.request_id);
}

bool connection::step_handling() {
  if (early_) {
    response refused = std::move(*early_);
    early_.reset();
    answer(std::move(refused));
    return true;
  }
  if (!task_ended_) return false;
  task_ended_ = false;
  response given = take_answer();
  task_.reset();
  const auto self = std::move(self_);
  answer(std::move(given));
  return true;
}

void connection::answer(response&& what) {
  const bool unread_body = !body_done_;
  ending_ = what.close || unread_body || !head_.keep_alive ||
            core_.draining.load(std::memory_order_relaxed);
  gentle_ = !what.close && !unread_body;
  append_response(out_, what,
                  {.version = head_.version,
                   .keep_alive = !ending_,
                   .head_only = request_.verb == method::head,
                   .secure = request_.secure,
                   .date_line = loop_.date_line(),
                   .request_id = request_.request_id,
                   .trace_id = request_.trace_id,
                   .span_id = request_.span_id,
                   .trace_flags = trace_flags_,
                   .cors_lines = cors_lines_});
  observe(what);
  next_request();
}

void connection::observe(const response& what) {
  if (!core_.observer) return;
  const auto spent = std::chrono::steady_clock::now() - request_.started;
  core_.observer(
      {.method = request_.method_name,
       .route = request_.route,
       .status = what.status,
       .duration_us = std::chrono::duration_cast<std::chrono::microseconds>(spent).count(),
       .request_bytes = body_received_,
       .response_bytes = what.body.size(),
       .request_id = request_.request_id,
       .trace_id = request_.trace_id,
       .peer = peer_,
       .fault = fault_});
}

// The handler ended after its peer had gone: its answer is counted, not sent.
void connection::end_task_unseen() {
  task_ended_ = false;
  const auto self = std::move(self_);
  observe(take_answer());
  task_.reset();
}

// The peer broke the protocol or a limit; where the next request starts is unknown, so this answer
// is the last.
void connection::fail(const parse_error& why) {
  auto refused = problem_response(
      {.status = why.status, .code = std::string(why.code), .detail = std::string(why.detail)},
      request_.request_id);
  refused.close = true;
  answer(std::move(refused));
}

void connection::next_request() {
  stage_ = stage::head;
  input_.consume(0);
  head_memory_.reset();
  if (input_.capacity > kept_bytes_max && input_.empty() && !reading_) input_ = {};
  shrink(body_);
  shrink(body_given_);
  fault_.clear();
  cors_lines_.clear();
  body_failure_.reset();
  body_done_ = true;
  body_received_ = 0;
  streaming_ = false;
  early_.reset();
  route_ = nullptr;
  head_ = {};
  parser_.reset();
  request_.verb = method::other;
  request_.method_name = request_.target = request_.path = request_.route = request_.body = {};
  request_.fields.clear();
  request_.params.clear();
  request_.query_params.clear();
  request_.stream = nullptr;
}

void connection::arm_read_deadline() {
  const auto& limits = loop_.limits();
  const auto now = event_loop::now_ms();
  const auto ms = [](std::chrono::milliseconds time) {
    return static_cast<std::uint64_t>(time.count());
  };
  switch (stage_) {
    case stage::head:
      if (input_.empty()) {
        if (!first_request_) loop_.wheel().set(*this, now + ms(limits.idle_timeout));
      } else if (!std::exchange(head_begun_, true) && !first_request_) {
        loop_.wheel().set(*this, now + ms(limits.header_timeout));
      }
      return;
    case stage::body:
    case stage::discard:
      loop_.wheel().set(
          *this, body_since_ms_ + ms(limits.body_grace) +
                     body_received_ * 1000 / std::max<std::size_t>(limits.bytes_per_second_min, 1));
      return;
    case stage::handling:
      loop_.wheel().set(*this, now + ms(limits.body_grace));
      return;
    case stage::handshake:
    case stage::lingering:
    case stage::closed:
      return;
  }
}

void connection::read_more() {
  if (reading_) return;
  reading_ = true;
  const auto [data, size] = input_.room(loop_.limits().header_bytes_max + input_bytes_first);
  const auto buffer = asio::buffer(data, size);
  auto done = [self = shared_from_this()](error_code failure, std::size_t count) {
    self->on_read(failure, count);
  };
  if (tls_) {
    tls_->async_read_some(buffer, std::move(done));
  } else {
    socket_.async_read_some(buffer, std::move(done));
  }
}

void connection::on_read(error_code failure, std::size_t count) {
  reading_ = false;
  if (stage_ == stage::closed) return;
  if (stage_ == stage::lingering) {
    input_.begin = input_.end = 0;
    return failure ? close() : read_more();
  }
  if (failure) {
    if (stage_ != stage::handling) return writing_ ? void(ending_ = true) : close();
    body_failure_ = make_error(base_errc::io, "the peer has gone");
    return resume_body_waiter();
  }
  input_.end += count;
  if (body_waiter_) return resume_body_waiter();
  advance();
}

// True when all is on its way; otherwise advance() is called once it is.
bool connection::flush() {
  if (out_.empty()) return true;
  std::size_t sent = 0;
  if (!tls_) {
    error_code failure;
    sent = socket_.write_some(asio::buffer(out_), failure);
    if (sent == out_.size()) {
      shrink(out_);
      return true;
    }
    if (failure && failure != asio::error::would_block) {
      close();
      return false;
    }
  }
  writing_ = true;
  sending_.swap(out_);
  const auto& limits = loop_.limits();
  loop_.wheel().set(
      *this, event_loop::now_ms() + static_cast<std::uint64_t>(limits.write_timeout.count()) +
                 sending_.size() * 1000 / std::max<std::size_t>(limits.bytes_per_second_min, 1));
  const auto rest = asio::buffer(sending_) + sent;
  auto done = [self = shared_from_this()](error_code failure, std::size_t) {
    self->on_written(failure);
  };
  if (tls_) {
    asio::async_write(*tls_, asio::const_buffer(rest), std::move(done));
  } else {
    asio::async_write(socket_, asio::const_buffer(rest), std::move(done));
  }
  return false;
}

void connection::on_written(error_code failure) {
  writing_ = false;
  shrink(sending_);
  if (stage_ == stage::closed) return;
  if (failure) return close();
  loop_.wheel().cancel(*this);
  advance();
}

// Ends without losing the answer: closing with unread input would reset the connection (RFC 9112
// section 9.6).
void connection::linger() {
  error_code ignored;
  stage_ = stage::lingering;
  loop_.wheel().set(*this, event_loop::now_ms() +
                               static_cast<std::uint64_t>(loop_.limits().linger_timeout.count()));
  if (tls_) {
    tls_->async_shutdown([self = shared_from_this()](error_code) { self->close(); });
    return;
  }
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  if (gentle_ && input_.empty()) return close();
  input_.begin = input_.end = 0;
  read_more();
}

void connection::close() {
  if (stage_ == stage::closed && !counted_) return;
  stage_ = stage::closed;
  loop_.wheel().cancel(*this);
  error_code ignored;
  socket_.close(ignored);
  if (!std::exchange(counted_, false)) return;
  core_.connections.fetch_sub(1, std::memory_order_acq_rel);
  if (body_waiter_) {
    body_failure_ = make_error(base_errc::io, "the connection was closed");
    resume_body_waiter();
  }
}

void connection::expired() {
  const auto self = shared_from_this();
  if (writing_ || stage_ == stage::lingering || stage_ == stage::handshake) return close();
  if (stage_ == stage::handling) {
    if (!body_waiter_) return;
    body_failure_ = make_error(base_errc::timeout, "the body came too slowly");
    return resume_body_waiter();
  }
  if (stage_ == stage::head && input_.empty()) return close();
  if (stage_ == stage::head) {
    request_.started = std::chrono::steady_clock::now();
    name_request();
  }
  fail({408, "request_timeout", "The request came too slowly."});
  advance();
}

bool connection::ready() {
  if (body_.empty()) pump_body();
  return !body_.empty() || body_done_ || body_failure_.has_value();
}

void connection::wait(std::coroutine_handle<> waiter) {
  body_waiter_ = waiter;
  if (std::exchange(head_.expects_continue, false)) out_ += continue_line;
  if (!flush()) {
    if (stage_ != stage::closed) return;  // on_written goes on
    return;
  }
  arm_read_deadline();
  read_more();
}

result<std::string_view> connection::take() {
  loop_.wheel().cancel(*this);
  if (body_.empty() && body_failure_) return omnicart::fail(*body_failure_);
  body_given_.swap(body_);
  body_.clear();
  return std::string_view(body_given_);
}

// More of a streamed body has come, or none will.
void connection::resume_body_waiter() {
  if (!body_waiter_) return;
  if (stage_ != stage::closed && !ready()) return read_more();
  const auto self = shared_from_this();
  std::exchange(body_waiter_, {}).resume();
}

}  // namespace omnicart::http
