#include "tools/pay/connection.hpp"

#include <algorithm>
#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>
#include <cstdio>

namespace omnicart::pay {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t read_bytes = 4'096;

void append_status_line(std::string& out, unsigned status) {
  out += "HTTP/1.1 ";
  out += std::to_string(status);
  out += ' ';
  const auto reason = beast_http::obsolete_reason(static_cast<beast_http::status>(status));
  out.append(reason.data(), reason.size());
  out += "\r\nContent-Type: application/json\r\n";
}

std::string body_of(const api_reply& reply) {
  if (reply.how == delivery::garbage) return "\x01\x7f<<%$ not json";
  if (reply.how == delivery::twice) return reply.body + reply.body;
  return reply.body;
}

void append_chunk(std::string& out, std::string_view data) {
  char size[20];
  out.append(size,
             static_cast<std::size_t>(std::snprintf(size, sizeof size, "%zx\r\n", data.size())));
  out += data;
  out += "\r\n";
}

}  // namespace

connection::connection(asio::ip::tcp::socket socket, connection_owner& owner)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      owner_(owner),
      in_(owner.options().header_bytes_max + owner.options().body_bytes_max + read_bytes) {}

void connection::start() { next_request(); }

void connection::enter(phase next) {
  const auto& limits = owner_.options();
  duration_ms longest = limits.slow_max;
  if (next == phase::idle) longest = limits.idle_max;
  if (next == phase::held) longest = limits.held_max;
  if (next == phase::delayed) longest = limits.late_by + limits.slow_max;
  phase_ = next;
  // One more: the sweep under way may be nearly over.
  expires_ = owner_.sweeps() + static_cast<std::uint64_t>(longest / limits.sweep_every) + 2;
}

void connection::next_request() {
  parser_.emplace();
  parser_->eager(true);
  parser_->header_limit(owner_.options().header_bytes_max);
  parser_->body_limit(owner_.options().body_bytes_max);
  enter(in_.size() > 0 ? phase::reading : phase::idle);
  in_.size() > 0 ? parse() : read();
}

void connection::read() {
  socket_.async_read_some(in_.prepare(read_bytes),
                          [self = shared_from_this()](error_code failed, std::size_t bytes) {
                            if (failed) return self->close();
                            self->in_.commit(bytes);
                            if (self->phase_ == phase::idle) self->enter(phase::reading);
                            self->parse();
                          });
}

void connection::parse() {
  error_code failed;
  in_.consume(parser_->put(in_.data(), failed));
  if (failed == beast_http::error::need_more) return read();
  if (failed == beast_http::error::header_limit) return refuse(431, "header_too_large");
  if (failed == beast_http::error::body_limit) return refuse(413, "body_too_large");
  if (failed) return refuse(400, "malformed");
  parser_->is_done() ? dispatch() : read();
}

void connection::refuse(unsigned status, std::string_view code) {
  keep_alive_ = false;
  reply_ = {.status = status, .body = "{\"error\":\"" + std::string(code) + "\"}"};
  render(reply_);
}

void connection::dispatch() {
  const auto& message = parser_->get();
  keep_alive_ = message.keep_alive();
  if (message.target().size() > owner_.options().target_bytes_max)
    return refuse(414, "target_too_long");
  const auto method = message.method_string(), target = message.target();
  reply_ = owner_.handle({.method = {method.data(), method.size()},
                          .target = {target.data(), target.size()},
                          .body = message.body()});
  enter(phase::waiting);
  owner_.await_commit(shared_from_this());
}

void connection::committed() {
  if (phase_ != phase::waiting) return;
  if (reply_.page) return start_stream(*reply_.page);
  if (reply_.how == delivery::none) return hold();
  if (reply_.how == delivery::late && !owner_.stopping()) return delay();
  render(reply_);
}

void connection::render(const api_reply& reply) {
  const std::string body = body_of(reply);
  std::string out;
  out.reserve(160 + body.size());
  append_status_line(out, reply.status);
  if (*reply.allow) out.append("Allow: ").append(reply.allow).append("\r\n");
  if (!keep_alive_ || owner_.stopping()) out += "Connection: close\r\n";
  out.append("Content-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n\r\n")
      .append(body);
  enter(phase::writing);
  write(std::move(out));
}

// The answer never comes: wait until the caller gives up.
void connection::hold() {
  if (owner_.stopping()) return close();
  enter(phase::held);
  socket_.async_read_some(in_.prepare(read_bytes),
                          [self = shared_from_this()](error_code, std::size_t) { self->close(); });
}

void connection::delay() {
  enter(phase::delayed);
  timer_.expires_after(owner_.options().late_by);
  timer_.async_wait([self = shared_from_this()](error_code) {
    if (self->phase_ == phase::delayed) self->render(self->reply_);
  });
}

void connection::write(std::string bytes) {
  out_ = std::move(bytes);
  asio::async_write(socket_, asio::buffer(out_),
                    [self = shared_from_this()](error_code failed, std::size_t) {
                      failed ? self->close() : self->written();
                    });
}

void connection::written() {
  if (phase_ == phase::closed) return;
  if (phase_ == phase::streaming) return stream();
  if (!keep_alive_ || owner_.stopping()) return close();
  next_request();
}

void connection::start_stream(const ledger_page& page) {
  const auto at = owner_.ledger().seek(page.from_seq);
  if (!at) return refuse(500, "ledger_unreadable");
  at_ = *at;
  left_ = std::min(page.limit, owner_.ledger().durable_seq() + 1 - at_.next_seq);
  keep_alive_ = keep_alive_ && parser_->get().version() >= 11;
  std::string out;
  append_status_line(out, 200);
  out += keep_alive_ ? "Transfer-Encoding: chunked\r\n\r\n" : "Connection: close\r\n\r\n";
  keep_alive_ ? append_chunk(out, "{\"entries\":[") : static_cast<void>(out += "{\"entries\":[");
  enter(phase::streaming);
  write(std::move(out));
}

// Sends the next part; the one after it when this one is on its way, so that memory stays bounded.
void connection::stream() {
  std::string part, out;
  if (left_ > 0) {
    const auto count = owner_.ledger().read(at_, left_, part);
    if (!count || *count == 0) return close();  // cut short: the reader sees that it is not whole
    left_ -= *count;
  }
  enter(left_ > 0 ? phase::streaming : phase::writing);
  if (left_ == 0) part += "]}";
  if (!keep_alive_) return write(std::move(part));
  append_chunk(out, part);
  if (left_ == 0) out += "0\r\n\r\n";
  write(std::move(out));
}

void connection::sweep() {
  if (owner_.sweeps() >= expires_) close();
}

void connection::begin_stop() {
  if (phase_ == phase::idle || phase_ == phase::reading || phase_ == phase::held) return close();
  if (phase_ == phase::delayed) timer_.cancel();
}

void connection::close() {
  if (phase_ == phase::closed) return;
  phase_ = phase::closed;
  error_code ignored;
  timer_.cancel();
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  owner_.closed(shared_from_this());
}

}  // namespace omnicart::pay
