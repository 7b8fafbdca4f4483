#pragma once

#include <utility>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "http/server/event_loop.hpp"
#include "http/server/request_parser.hpp"
#include "http/server/response_writer.hpp"
#include "http/server/server.hpp"
#include "http/server/task.hpp"

namespace omnicart::http {

// What all connections of a server share. Outlives them.
struct server_core {
  router routes;
  cors_options cors;
  trusted_proxies proxies;
  access_observer observer;
  std::unique_ptr<boost::asio::ssl::context> tls;  // null: plain

  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> turned_away{0};  // beyond the limit, and being told so over TLS
  std::atomic<std::size_t> in_flight{0};
  std::atomic<std::uint64_t> refused_connections{0};
  std::atomic<std::uint64_t> refused_requests{0};
  std::atomic<bool> draining{false};      // it stops
  std::atomic<bool> close_after{false};   // it does not, but clients had better go elsewhere
};

// Bytes received and not yet used. Starts small: most connections of a busy front wait.
struct input_buffer {
  std::unique_ptr<char[]> data;
  std::size_t capacity = 0;
  std::size_t begin = 0;
  std::size_t end = 0;

  std::string_view unread() const { return {data.get() + begin, end - begin}; }
  bool empty() const { return begin == end; }
  void consume(std::size_t count);
  // Room to read into; moves what is unread, so views into it end.
  std::pair<char*, std::size_t> room(std::size_t capacity_max);
};

// For the sources of connection alone: they keep their buffers up to this size between requests.
inline constexpr std::size_t kept_bytes_max = 64 * 1024;
inline constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
inline void clear_kept(std::string& text) {
  text.clear();
  if (text.capacity() > kept_bytes_max) text.shrink_to_fit();
}

// One peer. Lives on its loop's thread, kept by its pending operations and its running handler.
//
//   head -> (body | discard) -> handling -> head …         lingering and closed end it
//
// One request at a time: pipelined ones wait in the buffer, so answers keep their order, and a peer
// that does not read its answers is not read from.
class connection final : public std::enable_shared_from_this<connection>,
                         private timer_wheel::entry,
                         private body_source {
 public:
  using registry = std::unordered_set<connection*>;

  connection(server_core& core, event_loop& loop, registry& all,
             boost::asio::ip::tcp::socket socket);
  ~connection() override;

  void start();
  // In place of start(), over TLS: `answer` is all that is said, whatever is asked. It counts as turned away.
  void turn_away(std::string answer);
  // The server stops: ends now if nothing is under way, else after the answer.
  void drain();
  // Ends now; a handler goes on for nobody.
  void abort() { close(); }
  // After the loop's end: destroys a handler that still waits. May destroy the connection.
  void destroy_task();

 private:
  enum class stage : std::uint8_t { handshake, head, body, discard, handling, lingering, closed };

  // Runs the handler's completion outside of the coroutine that ended.
  struct finish_parcel final : parcel {
    connection* owner = nullptr;
    void deliver() override { owner->advance(); }
    void discard() override {}
  };

  void advance();
  bool step();
  bool step_head();
  bool step_body();
  bool step_handling();

  void begin_request(std::string_view head);
  std::optional<response> refuse_request(std::size_t& body_limit);
  std::optional<response> refuse_route(const route_match& match);
  std::optional<response> refuse_body(const route& found, std::size_t body_limit);
  response answer_options(std::string_view allow);
  bool split_target();
  bool decode_query(std::string_view query);
  void name_request();
  void cors_lines(std::string_view allow);

  void detach_head();
  void pump_body();
  void dispatch();
  void task_done();
  response take_answer();
  void answer(response&& what);
  void observe(const response& what);
  void end_task_unseen();
  void fail(const parse_error& why);
  void next_request();

  void shake_hands();
  void arm_read_deadline();
  void read_more();
  void on_read(boost::system::error_code failure, std::size_t count);
  bool flush();
  void on_written(boost::system::error_code failure);
  void linger();
  void close();
  void expired() override;

  bool ready() override;
  void wait(std::coroutine_handle<> waiter) override;
  result<std::string_view> take() override;
  void resume_body_waiter();

  server_core& core_;
  event_loop& loop_;
  registry& all_;
  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  std::string peer_;
  std::string client_;  // of this request, when peer_ is a proxy of ours
  bool from_proxy_ = false;

  stage stage_ = stage::head;
  bool advancing_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool ending_ = false;  // close after what is in out_
  bool gentle_ = false;  // the peer asked for the end and nothing of it is unread
  bool first_request_ = true;
  bool head_begun_ = false;
  std::atomic<std::size_t>* counted_in_;  // null once it is closed

  input_buffer input_;
  std::unique_ptr<char[]> head_memory_;  // of a request whose body came later than its head
  request_parser parser_;
  request_head head_;
  request request_;
  std::string decoded_path_;
  std::string decoded_query_;
  std::string ids_;  // request id, trace id, span id
  std::string_view trace_flags_;
  std::string cors_lines_;

  const route* route_ = nullptr;
  std::string body_;
  std::string body_given_;  // streaming: what take() returned last
  std::uint64_t body_left_ = 0;
  std::uint64_t body_received_ = 0;
  std::uint64_t body_limit_ = 0;
  std::uint64_t body_since_ms_ = 0;
  bool body_done_ = true;
  bool streaming_ = false;
  std::optional<error> body_failure_;
  std::coroutine_handle<> body_waiter_{};

  task<response> task_;
  bool task_ended_ = false;
  bool task_counted_ = false;
  std::string fault_;
  std::optional<response> early_;  // decided before the handler
  finish_parcel finish_;
  std::shared_ptr<connection> self_;  // while a handler runs

  std::string out_;
  std::string sending_;
};

}  // namespace omnicart::http
