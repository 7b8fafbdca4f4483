#pragma once

// Boost 1.74's coroutine headers use std::exchange without including it.
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

// Asio's coroutines bound to io_context's own executor: the type-erased default costs an allocation
// a step.
//
// GCC 12 destroys twice an aggregate temporary that is built inside a co_await expression (GCC bug
// 99576 and its kin): arguments of awaited calls are named locals here.
namespace omnicart::load {

namespace asio = boost::asio;

using executor = asio::io_context::executor_type;
template <class T = void>
using task = asio::awaitable<T, executor>;
inline constexpr asio::use_awaitable_t<executor> use_task{};
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, executor>;

// A scenario that cannot go on (no server, refused set-up): ends the run with exit code 2 and this
// text. The only exception thrown on purpose here; it crosses coroutines up to main.
class cannot_go_on : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Runs body(0) … body(count - 1) at once on this thread and resumes when all have ended. The first
// exception of any is thrown then; `on_failure` is called at once so that the others can be told to
// stop.
task<> gather(asio::io_context& io, std::size_t count, std::function<task<>(std::size_t)> body,
              std::function<void()> on_failure = {});

task<> sleep_for(asio::io_context& io, std::chrono::microseconds span);

}  // namespace omnicart::load
