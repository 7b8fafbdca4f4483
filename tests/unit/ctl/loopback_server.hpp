#pragma once

#include <httplib.h>

#include <string>
#include <thread>

namespace omnicart::ctl::testing {

// Serves what its routes say on a free loopback port, from its own thread, until it is destroyed. Whatever the
// handlers use must be declared before it.
class loopback_server {
 public:
  loopback_server() = default;
  loopback_server(const loopback_server&) = delete;
  loopback_server& operator=(const loopback_server&) = delete;
  ~loopback_server() {
    if (!thread_.joinable()) return;
    server_.stop();
    thread_.join();
  }

  // For adding routes, before start.
  httplib::Server& routes() { return server_; }
  void start() {
    server_.set_keep_alive_timeout(1);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
};

}  // namespace omnicart::ctl::testing
