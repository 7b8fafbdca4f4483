#include "http/server/event_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <ctime>

namespace omnicart::http {

id_generator::id_generator() {
  std::random_device device;
  for (auto& word : state_) word = (std::uint64_t{device()} << 32) | device();
  state_[0] |= 1;  // the all-zero state is the one that never changes
}

std::uint64_t id_generator::next() {
  const auto rotate = [](std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); };
  const std::uint64_t number = rotate(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotate(state_[3], 45);
  return number;
}

void append_hex(std::string& out, std::uint64_t number) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(number >> shift) & 15];
}

event_loop::event_loop(const server_limits& limits) : limits_(limits) { refresh_date(); }

event_loop::~event_loop() { close(); }

void event_loop::run() {
  set_current(this);
  const auto guard = boost::asio::make_work_guard(context_);
  wheel_.advance(now_ms());
  tick();
  context_.run();
  set_current(nullptr);
}

void event_loop::set_limits(const server_limits& limits) {
  boost::asio::post(context_, [this, limits] { limits_ = limits; });
}

void event_loop::end_ticks() { ticker_.cancel(); }

void event_loop::wake() {
  boost::asio::post(context_, [this] { drain(); });
}

void event_loop::tick() {
  ticker_.expires_after(std::chrono::milliseconds(timer_wheel::tick_ms));
  ticker_.async_wait([this](boost::system::error_code failure) {
    if (failure) return;
    refresh_date();
    wheel_.advance(now_ms());
    if (on_tick_) on_tick_();
    tick();
  });
}

// IMF-fixdate, RFC 9110 section 5.6.7. The C locale's names are fixed: this program never calls
// setlocale.
void event_loop::refresh_date() {
  const std::time_t now = std::time(nullptr);
  if (now == date_second_) return;
  date_second_ = now;
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  const auto length =
      std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  date_line_.assign(text, length);
}

}  // namespace omnicart::http
