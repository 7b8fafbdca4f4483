#include "http/payment_gateway.hpp"

#include <utility>  // before Asio: Boost 1.74 needs it with GCC 12

#include <algorithm>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/base/assert.hpp"
#include "runtime/crash_point.hpp"

namespace omnicart::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t read_bytes = 2'048;

// A command that waits for a connection.
struct waiting_command {
  envelope message;
  duration_ms since;
};

// A command on its way to the provider.
struct open_call {
  envelope message;
  payment::command command;
};

// RFC 3986 section 3.2: an IPv6 address stands in brackets.
std::string authority(const provider_address& at) {
  const bool is_ipv6 = at.host.find(':') != std::string::npos;
  return (is_ipv6 ? '[' + at.host + ']' : at.host) + ':' + std::to_string(at.port);
}

class provider_line;

// What a line needs of the gateway that owns it.
class line_owner {
 public:
  virtual void finished(provider_line& line, envelope message,
                        const result<payment::charge_result>& what) = 0;
  virtual const payment_gateway_options& options() const = 0;
  virtual duration_ms now() const = 0;

 protected:
  ~line_owner() = default;
};

// One kept-alive connection, carrying one call at a time. On the gateway's thread. Its handlers
// hold a plain pointer: they run only while the gateway, which owns line and io_context, lives.
// Handlers of an earlier connection know by its number that they are late.
class provider_line {
 public:
  provider_line(asio::io_context& io, line_owner& owner)
      : owner_(owner),
        socket_(io),
        resolver_(io),
        in_(owner.options().answer_bytes_max + read_bytes) {}

  bool idle() const { return !call_; }
  void serve(open_call call);
  // Ends the call when it is overdue.
  void sweep();
  void give_up(base_errc code, std::string why);

 private:
  using parser = beast_http::response_parser<beast_http::string_body>;

  void connect();
  template <class Endpoints>
  void connect_to(const Endpoints& endpoints);
  void connected(const error_code& failed);
  void write();
  void read();
  void received(std::size_t bytes);
  void parse();
  void too_long();
  void broken();
  void complete();
  void end(const result<payment::charge_result>& what);
  void disconnect();
  // Runs `then` unless the connection has been replaced meanwhile.
  template <class F>
  auto on_this_connection(F then);

  line_owner& owner_;
  tcp::socket socket_;
  tcp::resolver resolver_;
  boost::beast::flat_buffer in_;
  std::optional<parser> parser_;
  std::optional<open_call> call_;
  std::string out_;
  std::size_t received_bytes_ = 0;  // of this answer
  duration_ms overdue_at_{};
  std::uint64_t connection_ = 0;
  bool up_ = false;
  bool used_before_ = false;  // this connection has carried an answer
};

template <class F>
auto provider_line::on_this_connection(F then) {
  return [this, number = connection_, then](const error_code& failed, auto&&... rest) {
    if (number == connection_ && call_) then(failed, rest...);
  };
}

void provider_line::serve(open_call call) {
  const auto asked = to_wire(call.command);
  call_ = std::move(call);
  out_ = "POST " + asked.target + " HTTP/1.1\r\nHost: " + authority(owner_.options().provider) +
         "\r\n";
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

}  // namespace

class payment_gateway::impl final : public line_owner {
 public:
  impl(payment_gateway_options options, const clock& time);
  ~impl() { stop(duration_ms{0}); }

  void send(envelope message);
  void stop(duration_ms drain);
  payment_gateway_figures figures() const;

  void finished(provider_line& line, envelope message,
                const result<payment::charge_result>& what) override;
  const payment_gateway_options& options() const override { return options_; }
  duration_ms now() const override { return time_.monotonic(); }

 private:
  void enqueue(envelope message);
  void pump();
  std::optional<open_call> open(waiting_command next);
  void answer_with(envelope& message, const result<payment::charge_result>& what);
  void count(const result<payment::charge_result>& what);
  void sweep();
  void arm_sweep();
  void begin_stop(duration_ms drain);
  void abandon_rest();
  void end_if_drained();

  const payment_gateway_options options_;
  const clock& time_;
  const duration_ms sweep_every_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::steady_timer sweeper_{io_};
  std::vector<std::unique_ptr<provider_line>> lines_;
  std::vector<provider_line*> idle_;  // the one used last is at the back: few connections stay warm
  std::deque<waiting_command> queue_;
  bool sweeping_ = false;
  std::optional<duration_ms> drained_by_;

  // Counts what send() let in and nobody answered yet. send() counts before it looks at stopping_,
  // and the thread ends at zero after stopping_ is set: so nothing that was let in is left behind.
  std::atomic<std::uint64_t> waiting_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> answered_{0}, refused_{0}, unknown_{0}, not_sent_{0};
  std::thread thread_;
};

payment_gateway::impl::impl(payment_gateway_options options, const clock& time)
    : options_(std::move(options)),
      time_(time),
      sweep_every_(std::clamp(
          std::min({options_.answer_timeout, options_.connect_timeout, options_.queue_wait}) / 8,
          duration_ms{1}, duration_ms{50})) {
  ensure(options_.connections > 0, "a payment gateway has connections");
  for (std::size_t i = 0; i < options_.connections; ++i) {
    lines_.push_back(std::make_unique<provider_line>(io_, *this));
    idle_.push_back(lines_.back().get());
  }
  thread_ = std::thread([this] { io_.run(); });
}

void payment_gateway::impl::send(envelope message) {
  const auto refuse = [&](base_errc code, const char* why) {
    waiting_.fetch_sub(1);
    ++not_sent_;
    if (message.reply) message.reply({.failure = make_error(code, why)});
  };
  const auto waiting = waiting_.fetch_add(1);
  if (stopping_) return refuse(base_errc::shutting_down, "the payment gateway stops");
  if (waiting >= options_.queue_max + options_.connections) {
    return refuse(base_errc::overloaded, "too many payments are waiting");
  }
  asio::post(io_, [this, taken = std::move(message)]() mutable { enqueue(std::move(taken)); });
}

void payment_gateway::impl::enqueue(envelope message) {
  queue_.push_back({std::move(message), now()});
  pump();
  arm_sweep();
  if (drained_by_ && now() >= *drained_by_) abandon_rest();
}

void payment_gateway::impl::pump() {
  while (!queue_.empty() && !idle_.empty()) {
    auto next = std::move(queue_.front());
    queue_.pop_front();
    auto call = open(std::move(next));
    if (!call) continue;
    auto* line = idle_.back();
    idle_.pop_back();
    line->serve(std::move(*call));
  }
}

// The command as a call; nothing when it is answered already.
std::optional<open_call> payment_gateway::impl::open(waiting_command next) {
  auto& message = next.message;
  if (time_.wall() > message.deadline) {
    answer_with(message,
                fail(base_errc::expired, "the payment command waited beyond its deadline"));
    return std::nullopt;
  }
  auto command = payment::decode_command(message.command);
  if (!command) {
    answer_with(message, fail(command.error()));
    return std::nullopt;
  }
  const auto& order =
      std::visit([](const auto& what) -> const order_id& { return what.order; }, *command);
  if (message.to.kind != "payment" || order.str() != message.to.id) {
    answer_with(message, fail(base_errc::malformed,
                              "a payment command is addressed to payment/<its order>"));
    return std::nullopt;
  }
  return open_call{std::move(message), std::move(*command)};
}

void payment_gateway::impl::finished(provider_line& line, envelope message,
                                     const result<payment::charge_result>& what) {
  idle_.push_back(&line);
  answer_with(message, what);
  pump();  // no recursion: a line never finishes a call while it is handed over
}

void payment_gateway::impl::answer_with(envelope& message,
                                        const result<payment::charge_result>& what) {
  count(what);
  if (message.reply) {
    answer said;
    if (what) said.payload = payment::encode_reply(*what);
    if (!what) said.failure = what.error();
    message.reply(std::move(said));
  }
  waiting_.fetch_sub(1);
  end_if_drained();
}

void payment_gateway::impl::count(const result<payment::charge_result>& what) {
  if (what) {
    ++answered_;
  } else if (what.error().is(base_errc::timeout)) {
    ++unknown_;
  } else if (is_fault(what.error().number) || what.error().is(base_errc::expired)) {
    ++not_sent_;
  } else {
    ++refused_;
  }
}

void payment_gateway::impl::arm_sweep() {
  if (sweeping_ || (waiting_.load() == 0 && !drained_by_)) return;
  sweeping_ = true;
  sweeper_.expires_after(sweep_every_);
  sweeper_.async_wait([this](const error_code& failed) {
    sweeping_ = false;
    if (!failed) sweep();
  });
}

void payment_gateway::impl::sweep() {
  for (const auto& line : lines_) line->sweep();
  while (!queue_.empty() && now() >= queue_.front().since + options_.queue_wait) {
    auto late = std::move(queue_.front());
    queue_.pop_front();
    answer_with(late.message,
                fail(base_errc::overloaded, "the payment waited too long for a connection"));
  }
  pump();
  if (drained_by_ && now() >= *drained_by_) abandon_rest();
  arm_sweep();
  end_if_drained();
}

void payment_gateway::impl::stop(duration_ms drain) {
  if (!thread_.joinable()) return;
  stopping_ = true;
  asio::post(io_, [this, drain] { begin_stop(drain); });
  thread_.join();
}

void payment_gateway::impl::begin_stop(duration_ms drain) {
  drained_by_ = now() + drain;
  if (drain <= duration_ms{0}) abandon_rest();
  arm_sweep();
  end_if_drained();
}

void payment_gateway::impl::abandon_rest() {
  for (auto& left : std::exchange(queue_, {})) {
    answer_with(left.message, fail(base_errc::shutting_down, "the payment gateway stops"));
  }
  for (const auto& line : lines_) {
    if (!line->idle()) line->give_up(base_errc::timeout, "the payment gateway stops");
  }
}

void payment_gateway::impl::end_if_drained() {
  if (drained_by_ && waiting_.load() == 0) io_.stop();
}

payment_gateway_figures payment_gateway::impl::figures() const {
  return {.waiting = waiting_,
          .answered = answered_,
          .refused = refused_,
          .unknown = unknown_,
          .not_sent = not_sent_};
}

payment_gateway::payment_gateway(payment_gateway_options options, const clock& time)
    : impl_(std::make_unique<impl>(std::move(options), time)) {}
payment_gateway::~payment_gateway() = default;

void payment_gateway::send(envelope message) { impl_->send(std::move(message)); }
void payment_gateway::stop(duration_ms drain) { impl_->stop(drain); }
payment_gateway_figures payment_gateway::figures() const { return impl_->figures(); }

}  // namespace omnicart::http
