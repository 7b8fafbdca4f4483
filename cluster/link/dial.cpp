#include "cluster/link/dial.hpp"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <vector>

namespace omnicart::cluster {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

dial::dial(asio::io_context& context, peer_address to, done_fn done)
    : to_(std::move(to)),
      done_(std::move(done)),
      resolver_(context),
      socket_(context),
      timer_(context) {}

void dial::start(duration_ms within) {
  timer_.expires_after(within);
  timer_.async_wait([self = shared_from_this()](error_code failure) {
    if (!failure) self->finish(fail(base_errc::timeout, "nobody answers there"));
  });
  // An address needs no look-up, which would take a thread.
  error_code no_address;
  const auto address = asio::ip::make_address(to_.host, no_address);
  if (!no_address) return connect(results::create(tcp::endpoint(address, to_.port), to_.host, ""));
  resolver_.async_resolve(to_.host, std::to_string(to_.port),
                          [self = shared_from_this()](error_code failure, const results& found) {
                            if (failure)
                              return self->finish(fail(base_errc::unavailable, failure.message()));
                            self->connect(found);
                          });
}

void dial::connect(const results& found) {
  if (!done_) return;
  auto endpoints = std::make_shared<std::vector<tcp::endpoint>>();
  for (const auto& each : found) {
    if (!loopback_only_ || each.endpoint().address().is_loopback())
      endpoints->push_back(each.endpoint());
  }
  if (endpoints->empty()) {
    return finish(
        fail(base_errc::unavailable, "without certificates only this machine is dialled"));
  }
  asio::async_connect(
      socket_, *endpoints,
      [self = shared_from_this(), endpoints](error_code failure, const tcp::endpoint&) {
        if (failure) return self->finish(fail(base_errc::unavailable, failure.message()));
        self->finish(std::move(self->socket_));
      });
}

void dial::finish(result<tcp::socket> got) {
  if (!done_) return;
  const done_fn done = std::exchange(done_, nullptr);
  cancel();
  done(std::move(got));
}

void dial::cancel() {
  done_ = nullptr;
  error_code ignored;
  timer_.cancel();
  resolver_.cancel();
  socket_.close(ignored);
}

}  // namespace omnicart::cluster
