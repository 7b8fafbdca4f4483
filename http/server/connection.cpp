#include "http/server/connection.hpp"

#include <algorithm>
#include <cstring>

#include "http/server/async_reply.hpp"
#include "http/server/problem.hpp"
#include "runtime/crash_point.hpp"

namespace omnicart::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t input_bytes_body = 16 * 1024;
constexpr std::size_t flush_bytes = 64 * 1024;  // pipelined answers are gathered up to this

}  // namespace

connection::connection(server_core& core, event_loop& loop, registry& all, tcp::socket socket)
    : core_(core),
      loop_(loop),
      all_(all),
      socket_(std::move(socket)),
      counted_in_(&core.connections) {
  all_.insert(this);
  finish_.owner = this;
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  const auto endpoint = socket_.remote_endpoint(ignored);
  if (!ignored) peer_ = endpoint.address().to_string();
  request_.peer = peer_;
  from_proxy_ = core_.proxies.trusts(peer_);
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
  core_.tls ? shake_hands() : read_more();
}

void connection::turn_away(std::string answer) {
  counted_in_ = &core_.turned_away;
  out_ = std::move(answer);
  ending_ = true;
  loop_.wheel().set(*this, event_loop::now_ms() +
                               static_cast<std::uint64_t>(loop_.limits().linger_timeout.count()));
  shake_hands();
}

void connection::shake_hands() {
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
  const bool resting = stage_ == stage::head && input_.empty() && !writing_ && out_.empty();
  // What the kernel holds already is a request sent in good faith: it is answered.
  error_code ignored;
  const bool asked = resting && socket_.available(ignored) > 0;
  if (stage_ == stage::handshake || (resting && !asked)) close();
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
  request_.known.reset();
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
            core_.draining.load(std::memory_order_relaxed) || core_.close_after.load(std::memory_order_relaxed);
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
       .peer = request_.peer,
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
  clear_kept(body_);
  clear_kept(body_given_);
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
  request_.peer = peer_;
  request_.method_name = request_.target = request_.path = request_.route = request_.body = {};
  request_.fields.clear();
  request_.params.clear();
  request_.query_params.clear();
  request_.stream = nullptr;
}

}  // namespace omnicart::http
