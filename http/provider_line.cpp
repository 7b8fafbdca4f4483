#include "http/provider_line.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "runtime/base/text.hpp"
#include "runtime/crash_point.hpp"

namespace omnicart::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t read_bytes = 2'048;

}  // namespace

provider_line::provider_line(asio::io_context& io, line_owner& owner)
    : owner_(owner),
      socket_(io),
      resolver_(io),
      in_(owner.options().answer_bytes_max + read_bytes) {}

template <class F>
auto provider_line::on_this_connection(F then) {
  return [this, number = connection_, then](const error_code& failed, auto&&... rest) {
    if (number == connection_ && call_) then(failed, rest...);
  };
}

void provider_line::serve(open_call call) {
  const auto asked = to_wire(call.command);
  const provider_address& at = owner_.options().provider;
  call_ = std::move(call);
  out_ = "POST " + asked.target + " HTTP/1.1\r\nHost: " + address_text(at.host, at.port) + "\r\n";
  if (!asked.body.empty()) out_ += "Content-Type: application/json\r\n";
  out_ += "Content-Length: " + std::to_string(asked.body.size()) + "\r\n\r\n" + asked.body;
  up_ ? write() : connect();
}

void provider_line::connect() {
  ++connection_;
  overdue_at_ = owner_.now() + owner_.options().connect_timeout;
  const auto& at = owner_.options().provider;
  error_code not_numeric;
  const auto address = asio::ip::make_address(at.host, not_numeric);
  if (!not_numeric) return connect_to(std::vector{tcp::endpoint(address, at.port)});
  resolver_.async_resolve(at.host, std::to_string(at.port),
                          on_this_connection([this](const error_code& failed, const auto& found) {
                            failed ? connected(failed) : connect_to(found);
                          }));
}

template <class Endpoints>
void provider_line::connect_to(const Endpoints& endpoints) {
  asio::async_connect(
      socket_, endpoints,
      on_this_connection([this](const error_code& failed, const auto&) { connected(failed); }));
}

void provider_line::connected(const error_code& failed) {
  if (failed)
    return give_up(base_errc::unavailable,
                   "cannot reach the payment provider: " + failed.message());
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  up_ = true;
  used_before_ = false;
  write();
}

void provider_line::write() {
  OMNICART_CRASH_POINT("before_provider_call");
  overdue_at_ = owner_.now() + owner_.options().answer_timeout;
  in_.clear();
  parser_.emplace();
  // Header first: Beast 1.74 does not hold a Content-Length to the body limit, and makes room for
  // all of it.
  parser_->eager(false);
  received_bytes_ = 0;
  asio::async_write(socket_, asio::buffer(out_),
                    on_this_connection([this](const error_code& failed, std::size_t) {
                      if (failed) return broken();
                      OMNICART_CRASH_POINT("after_provider_call");
                      read();
                    }));
}

void provider_line::read() {
  socket_.async_read_some(in_.prepare(read_bytes),
                          on_this_connection([this](const error_code& failed, std::size_t bytes) {
                            failed ? broken() : received(bytes);
                          }));
}

void provider_line::received(std::size_t bytes) {
  if (received_bytes_ == 0) OMNICART_CRASH_POINT("before_provider_answer");
  in_.commit(bytes);
  received_bytes_ += bytes;
  if (received_bytes_ > owner_.options().answer_bytes_max) return too_long();
  parse();
}

void provider_line::parse() {
  while (!parser_->is_done()) {
    if (in_.size() == 0) return read();
    error_code failed;
    in_.consume(parser_->put(in_.data(), failed));
    if (failed == beast_http::error::need_more) return read();
    if (failed) return give_up(base_errc::timeout, "the provider's answer is not HTTP");
    const auto announced = parser_->is_header_done() ? parser_->content_length() : boost::none;
    if (announced && *announced > owner_.options().answer_bytes_max) return too_long();
  }
  complete();
}

void provider_line::too_long() { give_up(base_errc::timeout, "the provider's answer is too long"); }

// The connection ended before the answer did.
void provider_line::broken() {
  const bool went_stale = used_before_ && in_.size() == 0 && !parser_->got_some();
  if (!went_stale)
    return give_up(base_errc::timeout, "the provider closed the connection without an answer");
  disconnect();
  connect();
}

void provider_line::complete() {
  OMNICART_CRASH_POINT("after_provider_answer");
  if (in_.size() > 0) return give_up(base_errc::timeout, "the provider answered more than once");
  const auto& answer = parser_->get();
  const auto what = from_wire(call_->command, answer.result_int(), answer.body());
  used_before_ = true;
  if (!answer.keep_alive()) disconnect();
  end(what);
}

void provider_line::sweep() {
  if (!call_ || owner_.now() < overdue_at_) return;
  up_ ? give_up(base_errc::timeout, "the payment provider did not answer in time")
      : give_up(base_errc::unavailable, "the payment provider cannot be reached in time");
}

void provider_line::give_up(base_errc code, std::string why) {
  disconnect();
  end(fail(code, std::move(why)));
}

void provider_line::end(const result<payment::charge_result>& what) {
  auto call = std::move(*call_);
  call_.reset();
  owner_.finished(*this, std::move(call.message), what);
}

void provider_line::disconnect() {
  ++connection_;
  up_ = false;
  error_code ignored;
  resolver_.cancel();
  socket_.close(ignored);
}

}  // namespace omnicart::http
