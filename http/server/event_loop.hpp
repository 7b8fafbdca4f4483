#pragma once

#include <utility>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>

#include "http/server/limits.hpp"
#include "http/server/mailbox.hpp"
#include "http/server/timer_wheel.hpp"

namespace omnicart::http {

// Random ids for requests and spans: unique, not secret. xoshiro256** (Blackman, Vigna), seeded by
// the system.
class id_generator {
 public:
  id_generator();
  std::uint64_t next();

 private:
  std::uint64_t state_[4];
};

// 16 lower-case hexadecimal digits, as ids are written.
void append_hex(std::string& out, std::uint64_t number);

// One thread's io_context with its deadlines, its copy of the limits and its mailbox. Outlives its
// thread as long as someone still holds a callback into it.
class event_loop final : public mailbox {
 public:
  explicit event_loop(const server_limits& limits);
  ~event_loop() override;

  boost::asio::io_context& context() { return context_; }
  timer_wheel& wheel() { return wheel_; }
  id_generator& ids() { return ids_; }
  const server_limits& limits() const { return limits_; }  // on the loop's thread
  // "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n", at most a second old.
  std::string_view date_line() const { return date_line_; }

  // The thread's body: returns after stop().
  void run();
  void stop() { context_.stop(); }
  void end_ticks();
  // Any thread.
  void set_limits(const server_limits& limits);
  // Called on every tick, on the loop's thread; set before run().
  void on_tick(std::function<void()> call) { on_tick_ = std::move(call); }

  static std::uint64_t now_ms(
      std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now()) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  }

 private:
  void wake() override;
  void tick();
  void refresh_date();

  boost::asio::io_context context_{1};
  timer_wheel wheel_;
  server_limits limits_;
  id_generator ids_;
  std::string date_line_;
  std::int64_t date_second_ = -1;
  std::function<void()> on_tick_;
  boost::asio::steady_timer ticker_{context_};
};

}  // namespace omnicart::http
