#include "tools/pay/provider_server.hpp"

#include <utility>  // before Asio: Boost 1.74 needs it with GCC 12

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <unordered_set>
#include <vector>

#include "tools/pay/connection.hpp"

namespace omnicart::pay {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class provider_server::impl final : public connection_owner {
 public:
  impl(server_options options, const clock& time) : options_(std::move(options)), time_(time) {}
  ~impl() { close_all(); }

  status open();
  status run();
  void begin_stop();
  void stop() {
    asio::post(io_, [this] { begin_stop(); });
  }
  void stop_on_signals(interrupt on_interrupt);
  status stop_when_closed(int pipe_fd);
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  const std::string& notice() const { return notice_; }

  api_reply handle(const api_request& asked) override { return api_->handle(asked); }
  void await_commit(std::shared_ptr<connection> who) override {
    waiting_.push_back(std::move(who));
  }
  void closed(const std::shared_ptr<connection>& who) override { connections_.erase(who); }
  const ledger_file& ledger() const override { return *ledger_; }
  const server_options& options() const override { return options_; }
  std::uint64_t sweeps() const override { return sweeps_; }
  bool stopping() const override { return stopping_; }

 private:
  status listen();
  void accept();
  void admit(tcp::socket socket);
  void sweep();
  void watch_pipe();
  status commit();
  void close_all();
  bool finished() const {
    return stopping_ && (connections_.empty() || time_.monotonic() >= drained_by_);
  }

  server_options options_;
  const clock& time_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer sweeper_{io_};
  asio::signal_set signals_{io_};
  asio::posix::stream_descriptor pipe_{io_};
  char pipe_byte_ = 0;
  provider_book book_;
  std::unique_ptr<ledger_file> ledger_;
  std::optional<provider_api> api_;
  std::unordered_set<std::shared_ptr<connection>> connections_;
  std::vector<std::shared_ptr<connection>> waiting_;  // for the next commit
  std::string notice_;
  std::uint64_t sweeps_ = 0;
  bool stopping_ = false;
  bool accepting_ = false;
  duration_ms drained_by_{};
};

status provider_server::impl::open() {
  auto ledger = ledger_file::open(options_.data, book_, notice_);
  if (!ledger) return fail(ledger.error());
  ledger_ = std::move(*ledger);
  api_.emplace(book_, *ledger_, time_);
  return listen();
}

status provider_server::impl::listen() {
  error_code failed;
  const auto what = options_.host + ':' + std::to_string(options_.port);
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(options_.host, std::to_string(options_.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, failed);
  if (failed) return fail(base_errc::io, "cannot resolve " + what + ": " + failed.message());
  const tcp::endpoint at = *found.begin();
  acceptor_.open(at.protocol(), failed);
  if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor_.bind(at, failed);
  if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return fail(base_errc::io, "cannot listen on " + what + ": " + failed.message());
  return {};
}

// The loop is the group commit: all that is ready is handled, then synced once, then answered.
status provider_server::impl::run() {
  accept();
  sweep();
  while (!finished()) {
    io_.run_one();
    for (std::size_t handled = 1; handled < options_.group_max && io_.poll_one() > 0; ++handled) {
    }
    if (auto done = commit(); !done) return done;
  }
  close_all();
  return ledger_->commit();
}

status provider_server::impl::commit() {
  if (waiting_.empty() && !ledger_->has_open_group()) return {};
  if (auto done = ledger_->commit(); !done) return done;
  const auto entered = api_->take_entered();
  if (options_.entered) options_.entered(entered);
  for (auto& who : std::exchange(waiting_, {})) who->committed();
  return {};
}

void provider_server::impl::accept() {
  if (accepting_ || stopping_) return;
  accepting_ = true;
  acceptor_.async_accept([this](error_code failed, tcp::socket socket) {
    accepting_ = false;
    if (failed) return;  // out of descriptors, or stopped; the next sweep tries again
    admit(std::move(socket));
    accept();
  });
}

void provider_server::impl::admit(tcp::socket socket) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  if (connections_.size() >= options_.connections_max) {
    constexpr std::string_view full =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: "
        "close\r\n"
        "Content-Length: 22\r\n\r\n{\"error\":\"overloaded\"}";
    socket.write_some(asio::buffer(full), ignored);
    return;
  }
  const auto who = std::make_shared<connection>(std::move(socket), *this);
  connections_.insert(who);
  who->start();
}

void provider_server::impl::sweep() {
  ++sweeps_;
  api_->tick();
  const std::vector<std::shared_ptr<connection>> all(connections_.begin(), connections_.end());
  for (const auto& who : all) who->sweep();
  accept();
  sweeper_.expires_after(options_.sweep_every);
  sweeper_.async_wait([this](error_code failed) {
    if (!failed) sweep();
  });
}

void provider_server::impl::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  drained_by_ = time_.monotonic() + options_.drain_max;
  error_code ignored;
  acceptor_.close(ignored);
  const std::vector<std::shared_ptr<connection>> all(connections_.begin(), connections_.end());
  for (const auto& who : all) who->begin_stop();
}

void provider_server::impl::close_all() {
  const std::vector<std::shared_ptr<connection>> all(connections_.begin(), connections_.end());
  for (const auto& who : all) who->close();
  waiting_.clear();
}

void provider_server::impl::stop_on_signals(interrupt on_interrupt) {
  signals_.add(SIGTERM);
  if (on_interrupt == interrupt::stops) {
    signals_.add(SIGINT);
  } else {
    std::signal(SIGINT, SIG_IGN);
  }
  signals_.async_wait([this](error_code failed, int) {
    if (!failed) begin_stop();
  });
}

status provider_server::impl::stop_when_closed(int pipe_fd) {
  error_code failed;
  pipe_.assign(pipe_fd, failed);
  if (failed) {
    return fail(base_errc::io, "the parent pipe " + std::to_string(pipe_fd) +
                                   " is no open pipe: " + failed.message());
  }
  watch_pipe();
  return {};
}

void provider_server::impl::watch_pipe() {
  pipe_.async_read_some(asio::buffer(&pipe_byte_, 1), [this](error_code failed, std::size_t) {
    failed ? begin_stop() : watch_pipe();
  });
}

provider_server::provider_server(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
provider_server::~provider_server() = default;

result<std::unique_ptr<provider_server>> provider_server::open(server_options options,
                                                               const clock& time) {
  auto made = std::make_unique<impl>(std::move(options), time);
  if (auto done = made->open(); !done) return fail(done.error());
  return std::unique_ptr<provider_server>(new provider_server(std::move(made)));
}

std::uint16_t provider_server::port() const { return impl_->port(); }
const std::string& provider_server::notice() const { return impl_->notice(); }
status provider_server::run() { return impl_->run(); }
void provider_server::stop() { impl_->stop(); }
void provider_server::stop_on_signals(interrupt on_interrupt) {
  impl_->stop_on_signals(on_interrupt);
}
status provider_server::stop_when_closed(int pipe_fd) { return impl_->stop_when_closed(pipe_fd); }

}  // namespace omnicart::pay
