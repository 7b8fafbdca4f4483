#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

#include "http/server/connection.hpp"

// A connection's bytes and deadlines: reading, writing, lingering, and the body as a stream.
namespace omnicart::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t input_bytes_first = 2 * 1024;

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
      clear_kept(out_);
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
  clear_kept(sending_);
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
  if (stage_ == stage::closed && counted_in_ == nullptr) return;
  stage_ = stage::closed;
  loop_.wheel().cancel(*this);
  error_code ignored;
  socket_.close(ignored);
  auto* const counted_in = std::exchange(counted_in_, nullptr);
  if (counted_in == nullptr) return;
  counted_in->fetch_sub(1, std::memory_order_acq_rel);
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
