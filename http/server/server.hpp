#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/server/access.hpp"
#include "http/server/limits.hpp"
#include "http/server/router.hpp"
#include "http/server/trusted_proxies.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::http {

// PEM files; TLS 1.2 and later.
struct tls_files {
  std::string certificate_chain;
  std::string private_key;
};

// Reads both and tries whether they fit. Refusal: malformed, naming the file and why.
status check_tls(const tls_files& files);

// Browsers of other origins (Fetch standard, CORS). Origins are compared as they are written:
// "https://shop.example".
struct cors_options {
  std::vector<std::string> origins;  // empty: none
  bool credentials = false;          // cookies may be sent
  std::uint32_t max_age_s = 600;     // how long a preflight is remembered
};

struct server_options {
  std::string host = "127.0.0.1";  // address to bind, not a name
  std::uint16_t port = 0;          // 0: a free one
  unsigned threads = 0;            // event loops; 0: one per core
  server_limits limits;
  std::optional<tls_files> tls;
  cors_options cors;
  trusted_proxies proxies;  // whose word on the client's address is taken
  access_observer observer;  // may be empty
};

struct server_counts {
  std::size_t connections = 0;
  std::size_t in_flight = 0;  // handlers that have not answered
  std::uint64_t refused_connections = 0;
  std::uint64_t refused_requests = 0;  // 503 for want of room
};

// The HTTP front: event loops with a listening socket each on one port (SO_REUSEPORT), so that
// connections never change threads. It knows HTTP and limits, and calls the router's handlers for
// the rest.
class server {
 public:
  // Binds and serves. Faults with one clear line: unavailable (port in use), malformed
  // (as check_tls).
  static result<std::unique_ptr<server>> start(server_options options, router routes);
  // As stop(0).
  ~server();

  std::uint16_t port() const;
  server_counts counts() const;
  // New limits for what comes; any thread.
  void set_limits(const server_limits& limits);
  // Whether every answer says Connection: close from now on, so that clients connect anew, elsewhere; any thread.
  void close_after_answers(bool close);

  // Stops accepting, closes idle connections, lets requests in flight end (their answers say
  // Connection: close), and at the deadline closes what is left; handlers that still wait are then
  // destroyed. Blocks the caller, which is no loop's thread. True when all ended in time. Calling
  // it again does nothing.
  bool stop(std::chrono::milliseconds deadline);

 private:
  class impl;
  explicit server(std::unique_ptr<impl> inner);
  std::unique_ptr<impl> impl_;
};

}  // namespace omnicart::http
