#include "http/server/server.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <thread>
#include <utility>

#include "http/server/connection.hpp"
#include "http/server/event_loop.hpp"
#include "http/server/problem.hpp"
#include "http/server/response_writer.hpp"

namespace omnicart::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int backlog = 4'096;

// What one connection too many is told; its request is never read. The fields are those of every
// other answer.
std::string full_answer(event_loop& loop, bool secure) {
  std::string ids;
  for (int words = 0; words < 5; ++words) append_hex(ids, loop.ids().next() | 1);
  const std::string_view all = ids;
  const std::string_view request_id = all.substr(0, 32);
  response refused = problem_response({.status = 503,
                                       .code = "overloaded",
                                       .detail = "Too many connections are open.",
                                       .retryable = true,
                                       .retry_after_s = loop.limits().retry_after_s},
                                      request_id);
  std::string bytes;
  append_response(bytes, refused,
                  {.keep_alive = false,
                   .secure = secure,
                   .date_line = loop.date_line(),
                   .request_id = request_id,
                   .trace_id = all.substr(32, 32),
                   .span_id = all.substr(64, 16),
                   .trace_flags = "00"});
  return bytes;
}

// One loop with its listening socket and its connections.
struct part {
  part(server_core& shared, const server_limits& limits)
      : core(shared), loop(std::make_shared<event_loop>(limits)), acceptor(loop->context()) {}

  server_core& core;
  std::shared_ptr<event_loop> loop;
  tcp::acceptor acceptor;
  connection::registry connections;
  bool paused = false;  // accepting failed; the next tick tries again
  std::thread thread;

  status listen(const tcp::endpoint& where) {
    error_code failure;
    acceptor.open(where.protocol(), failure);
    if (!failure) acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
    if (!failure) acceptor.set_option(reuse_port(true), failure);
    if (!failure) acceptor.bind(where, failure);
    if (!failure) acceptor.listen(backlog, failure);
    if (failure) return fail(base_errc::io, failure.message());
    return {};
  }

  void accept() {
    acceptor.async_accept(loop->context(), [this](error_code failure, tcp::socket socket) {
      if (failure == asio::error::operation_aborted || !acceptor.is_open()) return;
      if (failure) {  // out of descriptors or memory: the next tick tries again
        paused = true;
        return;
      }
      take(std::move(socket));
      accept();
    });
  }

  void take(tcp::socket socket) {
    if (core.connections.fetch_add(1, std::memory_order_acq_rel) >=
        loop->limits().connections_max) {
      core.connections.fetch_sub(1, std::memory_order_acq_rel);
      core.refused_connections.fetch_add(1, std::memory_order_relaxed);
      return core.tls ? refuse_secure(std::move(socket)) : refuse(std::move(socket));
    }
    std::make_shared<connection>(core, *loop, connections, std::move(socket))->start();
  }

  void refuse(tcp::socket socket) {
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(full_answer(*loop, false)), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  // An answer needs a handshake first, so only some get one.
  void refuse_secure(tcp::socket socket) {
    if (core.turned_away.fetch_add(1, std::memory_order_acq_rel) >=
        loop->limits().turned_away_max) {
      core.turned_away.fetch_sub(1, std::memory_order_acq_rel);
      return;
    }
    std::make_shared<connection>(core, *loop, connections, std::move(socket))
        ->turn_away(full_answer(*loop, true));
  }

  // Closing resets what waits to be accepted, and its clients were told that they are connected: they come in first. One
  // that connects between the last look and the end is still reset; no listening socket can avoid that.
  void stop_listening() {
    error_code failure;
    acceptor.non_blocking(true, failure);
    for (int i = 0; i < backlog && !failure; ++i) {
      tcp::socket socket(loop->context());
      acceptor.accept(socket, failure);
      if (!failure) take(std::move(socket));
    }
    acceptor.close(failure);
  }

  // Calls f for every connection; f may end connections.
  template <class F>
  void for_each(F f) {
    std::vector<std::shared_ptr<connection>> all;
    all.reserve(connections.size());
    for (connection* c : connections) all.push_back(c->shared_from_this());
    for (const auto& c : all) f(*c);
  }
};

// The port must not be shared with another process: SO_REUSEPORT alone would let two servers of one
// user split it.
status probe(const tcp::endpoint& where) {
  asio::io_context context(1);
  tcp::acceptor probe(context);
  error_code failure;
  probe.open(where.protocol(), failure);
  if (!failure) probe.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure) probe.bind(where, failure);
  if (failure) return fail(base_errc::io, failure.message());
  return {};
}

result<std::unique_ptr<asio::ssl::context>> make_tls(const tls_files& files) {
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  error_code failure;
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(tls->native_handle(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(tls->native_handle(),
                   SSL_MODE_RELEASE_BUFFERS);  // 34 KiB less per idle connection
  tls->use_certificate_chain_file(files.certificate_chain, failure);
  if (failure) {
    return fail(base_errc::malformed,
                "cannot use the certificate " + files.certificate_chain + ": " + failure.message());
  }
  tls->use_private_key_file(files.private_key, asio::ssl::context::pem, failure);
  if (failure) {
    return fail(base_errc::malformed,
                "cannot use the private key " + files.private_key + ": " + failure.message());
  }
  return tls;
}

}  // namespace

status check_tls(const tls_files& files) {
  const auto tls = make_tls(files);
  return tls ? status{} : fail(tls.error());
}

class server::impl {
 public:
  impl(server_options options, router routes) : options_(std::move(options)) {
    core_.routes = std::move(routes);
    core_.cors = options_.cors;
    core_.proxies = options_.proxies;
    core_.observer = options_.observer;
    if (options_.threads == 0) options_.threads = std::max(1u, std::thread::hardware_concurrency());
  }
  ~impl() { stop(std::chrono::milliseconds(0)); }

  status start() {
    error_code failure;
    const auto address = asio::ip::make_address(options_.host, failure);
    if (failure)
      return fail(base_errc::unavailable,
                  "cannot listen on '" + options_.host + "': not an IP address");
    if (options_.tls) {
      auto tls = make_tls(*options_.tls);
      if (!tls) return fail(std::move(tls.error()));
      core_.tls = std::move(*tls);
    }
    tcp::endpoint where(address, options_.port);
    const auto refused = [&](const error& why) {
      return fail(base_errc::unavailable, "cannot listen on " + options_.host + ":" +
                                              std::to_string(where.port()) + ": " + why.detail);
    };
    if (auto free = probe(where); !free) return refused(free.error());
    for (unsigned i = 0; i < options_.threads; ++i) {
      auto& added = *parts_.emplace_back(std::make_unique<part>(core_, options_.limits));
      if (auto bound = added.listen(where); !bound) return refused(bound.error());
      where.port(added.acceptor.local_endpoint().port());
    }
    port_ = where.port();
    for (auto& p : parts_) run(*p);
    return {};
  }

  bool stop(std::chrono::milliseconds deadline) {
    if (std::exchange(stopped_, true)) return true;
    core_.draining.store(true);
    for (auto& p : parts_) {
      asio::post(p->loop->context(), [&part = *p] {
        part.stop_listening();
        part.for_each([](connection& c) { c.drain(); });
      });
    }
    const auto until = std::chrono::steady_clock::now() + deadline;
    while (!idle() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(
          std::chrono::milliseconds(2));  // the caller's thread, once in a process's life
    }
    const bool all_ended = idle();
    for (auto& p : parts_) end(*p);
    return all_ended;
  }

  std::uint16_t port() const { return port_; }
  const server_core& core() const { return core_; }
  void set_limits(const server_limits& limits) {
    for (auto& p : parts_) p->loop->set_limits(limits);
  }
  void close_after_answers(bool close) { core_.close_after.store(close, std::memory_order_relaxed); }

 private:
  bool idle() const { return core_.connections.load() == 0 && core_.in_flight.load() == 0; }

  void run(part& p) {
    p.loop->on_tick([&p] {
      if (std::exchange(p.paused, false)) p.accept();
    });
    p.accept();
    p.thread = std::thread([&p] { p.loop->run(); });
  }

  // After this no connection, handler or operation of the loop is left.
  void end(part& p) {
    if (p.thread.joinable()) {
      asio::post(p.loop->context(), [&p] {
        p.for_each([](connection& c) { c.abort(); });
        p.loop->stop();
      });
      p.thread.join();
    }
    p.loop->close();  // replies that are late from here on go nowhere
    p.for_each([](connection& c) { c.destroy_task(); });
    error_code ignored;
    p.acceptor.close(ignored);
    p.loop->end_ticks();
    p.loop->context().restart();
    p.loop->context().poll();  // cancelled operations give up their connections
    ensure(p.connections.empty(), "a stopped loop has no connections");
  }

  server_options options_;
  server_core core_;
  std::vector<std::unique_ptr<part>> parts_;
  std::uint16_t port_ = 0;
  bool stopped_ = false;
};

server::server(std::unique_ptr<impl> inner) : impl_(std::move(inner)) {}
server::~server() = default;

result<std::unique_ptr<server>> server::start(server_options options, router routes) {
  auto inner = std::make_unique<impl>(std::move(options), std::move(routes));
  if (auto started = inner->start(); !started) return fail(std::move(started.error()));
  return std::unique_ptr<server>(new server(std::move(inner)));
}

std::uint16_t server::port() const { return impl_->port(); }

server_counts server::counts() const {
  const auto& core = impl_->core();
  return {.connections = core.connections.load(),
          .in_flight = core.in_flight.load(),
          .refused_connections = core.refused_connections.load(),
          .refused_requests = core.refused_requests.load()};
}

void server::set_limits(const server_limits& limits) { impl_->set_limits(limits); }

void server::close_after_answers(bool close) { impl_->close_after_answers(close); }

bool server::stop(std::chrono::milliseconds deadline) { return impl_->stop(deadline); }

}  // namespace omnicart::http
