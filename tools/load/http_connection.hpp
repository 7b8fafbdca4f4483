#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "tools/load/coroutine.hpp"

namespace omnicart::load {

struct endpoint {
  std::string host;  // name or address, without brackets
  std::string port;
  std::string authority;  // for the Host header
  friend bool operator==(const endpoint&, const endpoint&) = default;
};
// "http://host[:port][/]". Refusal: base_errc::malformed (also for https and for a path).
result<endpoint> parse_url(std::string_view url);

// What came back. The body's buffer is reused by the next exchange on the connection.
struct http_answer {
  int status = 0;  // 0: none came
  std::string body;
  std::int64_t retry_after_s = 0;
  bool keep_alive = false;
};

// Reads one HTTP/1.1 answer from pieces of any size (Beast's parser, without its field store).
// Thread: one. Refuses heads over 64 KB and bodies over answer_bytes_max.
class answer_reader {
 public:
  answer_reader();
  ~answer_reader();
  answer_reader(const answer_reader&) = delete;
  answer_reader& operator=(const answer_reader&) = delete;

  // Starts anew; what is left in the buffer stays. Answers go to `into`, which must outlive the
  // reading.
  void begin(http_answer& into);
  // Where to read to next: at least 4 KB.
  std::pair<char*, std::size_t> space();
  // Takes `bytes` read into space(). True when the answer is whole. Fault: base_errc::malformed.
  result<bool> took(std::size_t bytes);
  // The peer closed. True when that ends the answer (no length was given).
  bool closed();
  // Forgets buffered bytes: for a new connection.
  void reset();

 private:
  class parser;
  result<bool> parse();

  std::unique_ptr<parser> parser_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

inline constexpr std::size_t answer_bytes_max = 64 * 1024 * 1024;

class watchdog;

// One keep-alive connection, opened when first needed and again after a loss. One exchange at a
// time. Thread: the io_context's only one.
class http_connection {
 public:
  http_connection(asio::io_context& io, endpoint peer, watchdog& dog);
  ~http_connection();
  http_connection(const http_connection&) = delete;
  http_connection& operator=(const http_connection&) = delete;

  // Sends `request` (whole, as bytes) and reads the answer into `answer`. False when no whole
  // answer came within the watchdog's time: then nothing is known about what the server did, and
  // loss() says what was seen. `request` and `answer` must outlive the wait.
  task<bool> exchange(std::string_view request, http_answer& answer);

  const char* loss() const { return loss_; }
  // True when the last exchange failed on a connection that had been idle: the server may merely
  // have closed it.
  bool was_stale() const { return stale_; }
  void close();
  const endpoint& peer() const { return peer_; }
  // The next exchange goes there, over a new connection.
  void go_to(endpoint peer);

 private:
  friend class watchdog;

  task<bool> connect();
  task<bool> send(std::string_view request);
  task<bool> receive(http_answer& answer);
  bool lost(const char* why);

  asio::io_context& io_;
  endpoint peer_;
  watchdog& dog_;
  asio::basic_stream_socket<asio::ip::tcp, executor> socket_;
  answer_reader reader_;
  std::int64_t overdue_at_tick_ = 0;  // 0: nothing is awaited
  const char* loss_ = "";
  bool stale_ = false;
};

// Ends exchanges that take too long: one timer for all connections instead of one for each request.
class watchdog {
 public:
  watchdog(asio::io_context& io, std::chrono::milliseconds patience);
  // Ends the timer, so that the io_context can run out of work.
  void stop();

 private:
  friend class http_connection;
  static constexpr std::chrono::milliseconds tick{100};
  void arm();
  void look();

  timer timer_;
  std::int64_t patience_ticks_;
  std::int64_t now_tick_ = 1;
  bool stopped_ = false;
  std::vector<http_connection*> watched_;
};

}  // namespace omnicart::load
