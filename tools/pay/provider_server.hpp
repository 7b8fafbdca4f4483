#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/clock.hpp"
#include "tools/pay/provider_rules.hpp"

namespace omnicart::pay {

struct server_options {
  std::filesystem::path data;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;                  // 0: any free one
  std::size_t connections_max = 256;       // one more is answered 503 and closed
  std::uint32_t header_bytes_max = 8'192;  // 431
  std::size_t target_bytes_max = 1'024;    // 414
  std::size_t body_bytes_max = 4'096;      // 413
  std::size_t group_max = 256;             // handlers run between two syncs of the ledger
  duration_ms late_by{2'000};              // how late tok_late is answered
  duration_ms held_max{30'000};    // an answer that never comes: the connection ends after this
  duration_ms idle_max{75'000};    // a kept connection without a request
  duration_ms slow_max{10'000};    // a request, or the reading of an answer, that makes no progress
  duration_ms drain_max{2'000};    // open answers at a stop
  duration_ms sweep_every{1'000};  // how finely the limits above are measured
  // Told of new entries once they are on disk, on the server's thread; must not block. May be empty.
  std::function<void(const std::vector<entry>&)> entered = {};
};

// The provider's process: ledger and HTTP API on the one thread that calls run(). Requests that
// arrive together are made durable by one write and one sync, then answered.
class provider_server {
 public:
  // Opens the ledger and listens; connections are accepted from now on, served by run(). Errors
  // (base_errc::io) are one clear line: see ledger_file::open; cannot listen. `time` outlives the
  // server.
  static result<std::unique_ptr<provider_server>> open(server_options options, const clock& time);
  ~provider_server();

  std::uint16_t port() const;
  // What there is to say about the ledger found at open(); "" when all is well.
  const std::string& notice() const;

  // Serves until stopped and drained. An error (base_errc::io): the ledger could not be written;
  // open requests are dropped without an answer and the process must end.
  status run();

  // Stops accepting, answers what is open (late answers at once), ends run(). Any thread.
  void stop();
  // Before run(): stop() at SIGTERM and, unless `parent_pipe` is there, SIGINT.
  enum class interrupt { stops, is_ignored };
  void stop_on_signals(interrupt on_interrupt);
  // Before run(): stop() when the other end of this pipe is closed, which a parent's death does.
  // Takes the descriptor.
  status stop_when_closed(int pipe_fd);

 private:
  class impl;
  explicit provider_server(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

}  // namespace omnicart::pay
