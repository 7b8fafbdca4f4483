#include "tools/load/http_connection.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <memory>

namespace omnicart::load {

namespace http = boost::beast::http;
using boost::system::error_code;

result<endpoint> parse_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  const auto malformed = [&] {
    return fail(base_errc::malformed, "\"" + std::string(url) + "\" is not http://host[:port]");
  };
  if (!url.starts_with(scheme)) return malformed();
  auto rest = url.substr(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of("/?#@ ") != std::string_view::npos) return malformed();
  endpoint made{.host = {}, .port = "80", .authority = std::string(rest)};
  const auto bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) return malformed();
  const auto colon = rest.find(':', bracket);
  made.host = bracket > 0 ? rest.substr(1, bracket - 1) : rest.substr(0, colon);
  if (colon != std::string_view::npos) {
    made.port = rest.substr(colon + 1);
    unsigned number = 0;
    const auto [end, code] =
        std::from_chars(made.port.data(), made.port.data() + made.port.size(), number);
    if (code != std::errc{} || *end != '\0' || number == 0 || number > 65535) return malformed();
  }
  if (made.host.empty()) return malformed();
  return made;
}

// Beast's state machine with the callbacks we need: the other fields are looked at and dropped.
class answer_reader::parser final : public http::basic_parser<false> {
 public:
  explicit parser(http_answer& into) : into_(into) {
    header_limit(64 * 1024);
    body_limit(answer_bytes_max);
  }

 private:
  using text = boost::beast::string_view;

  void on_request_impl(http::verb, text, text, int, error_code& ec) override { ec = {}; }
  void on_response_impl(int status, text, int, error_code& ec) override {
    into_.status = status;
    ec = {};
  }
  void on_field_impl(http::field name, text, text value, error_code& ec) override {
    ec = {};
    if (name == http::field::retry_after) {
      std::from_chars(value.data(), value.data() + value.size(), into_.retry_after_s);
    }
  }
  void on_header_impl(error_code& ec) override { ec = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override {
    ec = {};
    if (length) into_.body.reserve(std::min<std::uint64_t>(*length, answer_bytes_max));
  }
  std::size_t on_body_impl(text piece, error_code& ec) override {
    ec = {};
    into_.body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, text, error_code& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, text piece, error_code& ec) override {
    return on_body_impl(piece, ec);
  }
  void on_finish_impl(error_code& ec) override {
    ec = {};
    into_.keep_alive = keep_alive();
  }

  http_answer& into_;
};

answer_reader::answer_reader() : buffer_(16 * 1024) {}
answer_reader::~answer_reader() = default;

void answer_reader::begin(http_answer& into) {
  into.status = 0;
  into.body.clear();
  into.retry_after_s = 0;
  into.keep_alive = false;
  parser_ = std::make_unique<parser>(into);
}

void answer_reader::reset() { begin_ = end_ = 0; }

std::pair<char*, std::size_t> answer_reader::space() {
  constexpr std::size_t wanted = 4096;
  if (begin_ == end_) begin_ = end_ = 0;
  if (buffer_.size() - end_ < wanted) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
    if (buffer_.size() - end_ < wanted) buffer_.resize(buffer_.size() * 2);
  }
  return {buffer_.data() + end_, buffer_.size() - end_};
}

result<bool> answer_reader::took(std::size_t bytes) {
  end_ += bytes;
  return parse();
}

result<bool> answer_reader::parse() {
  while (begin_ < end_) {
    error_code ec;
    const auto used = parser_->put(asio::const_buffer(buffer_.data() + begin_, end_ - begin_), ec);
    begin_ += used;
    if (ec == http::error::need_more) break;
    if (ec) return fail(base_errc::malformed, ec.message());
    if (parser_->is_done()) return true;
    if (used == 0) break;
  }
  return parser_->is_done();
}

bool answer_reader::closed() {
  error_code ec;
  if (!parser_->got_some()) return false;
  parser_->put_eof(ec);
  return !ec && parser_->is_done();
}

http_connection::http_connection(asio::io_context& io, endpoint peer, watchdog& dog)
    : io_(io), peer_(std::move(peer)), dog_(dog), socket_(io.get_executor()) {
  dog_.watched_.push_back(this);
}

http_connection::~http_connection() { std::erase(dog_.watched_, this); }

void http_connection::close() {
  error_code ignored;
  socket_.close(ignored);
  reader_.reset();
}

void http_connection::go_to(endpoint peer) {
  close();
  peer_ = std::move(peer);
}

bool http_connection::lost(const char* why) {
  loss_ = why;
  overdue_at_tick_ = 0;
  close();
  return false;
}

task<bool> http_connection::connect() {
  asio::ip::basic_resolver<asio::ip::tcp, executor> resolver(io_.get_executor());
  error_code ec;
  // Numeric addresses and names of this machine only need no wait; others block the thread once a
  // connection.
  const auto found = resolver.resolve(peer_.host, peer_.port, ec);
  if (ec) co_return lost("resolve");
  co_await asio::async_connect(socket_, found, asio::redirect_error(use_task, ec));
  if (ec) co_return lost("connect");
  socket_.set_option(asio::ip::tcp::no_delay(true), ec);
  socket_.non_blocking(true, ec);
  co_return !ec || lost("connect");
}

task<bool> http_connection::send(std::string_view request) {
  error_code ec;
  // Nearly always the kernel takes it all at once: no suspension, no scheduling.
  auto sent = socket_.write_some(asio::buffer(request.data(), request.size()), ec);
  if (ec == asio::error::would_block) {
    sent = 0;
    ec = {};
  }
  if (!ec && sent < request.size()) {
    const auto rest = asio::buffer(request.data() + sent, request.size() - sent);
    co_await asio::async_write(socket_, rest, asio::redirect_error(use_task, ec));
  }
  // A failed send may follow an early answer (413); reading decides.
  co_return !ec;
}

task<bool> http_connection::receive(http_answer& answer) {
  reader_.begin(answer);
  for (;;) {
    const auto [where, room] = reader_.space();
    error_code ec;
    const auto into = asio::buffer(where, room);
    const auto got = co_await socket_.async_read_some(into, asio::redirect_error(use_task, ec));
    if (ec) co_return ec == asio::error::eof&& reader_.closed();
    auto whole = reader_.took(got);
    // 1xx is no answer yet (RFC 9110 section 15.2).
    while (whole && *whole && answer.status < 200) {
      reader_.begin(answer);
      whole = reader_.took(0);
    }
    if (!whole || *whole) co_return whole.has_value();
  }
}

task<bool> http_connection::exchange(std::string_view request, http_answer& answer) {
  overdue_at_tick_ = dog_.now_tick_ + dog_.patience_ticks_;
  stale_ = socket_.is_open();
  answer.status = 0;
  if (!socket_.is_open() && !co_await connect()) co_return false;
  const bool sent = co_await send(request);
  const bool answered = co_await receive(answer);
  const bool timed_out = overdue_at_tick_ == 0;
  if (!answered) {
    answer.status = 0;
    co_return lost(timed_out ? "timeout" : sent ? "connection_lost" : "send");
  }
  overdue_at_tick_ = 0;
  if (!answer.keep_alive || !sent) close();
  co_return true;
}

watchdog::watchdog(asio::io_context& io, std::chrono::milliseconds patience)
    : timer_(io.get_executor()), patience_ticks_(std::max<std::int64_t>(1, patience / tick)) {
  arm();
}

void watchdog::stop() {
  stopped_ = true;
  timer_.cancel();
}

void watchdog::arm() {
  timer_.expires_after(tick);
  timer_.async_wait([this](error_code ec) {
    if (ec || stopped_) return;
    look();
    arm();
  });
}

void watchdog::look() {
  ++now_tick_;
  for (auto* connection : watched_) {
    if (connection->overdue_at_tick_ == 0 || connection->overdue_at_tick_ > now_tick_) continue;
    connection->overdue_at_tick_ = 0;
    error_code ignored;
    connection->socket_.close(ignored);
  }
}

}  // namespace omnicart::load
