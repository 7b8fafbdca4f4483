#pragma once

#include <utility>

#include <coroutine>
#include <exception>
#include <optional>
#include <variant>

#include "runtime/base/assert.hpp"

namespace omnicart::http {

// A lazy coroutine with one result. It runs when awaited (or started by the server) and is
// destroyed with its task object, also half way; one allocation, the frame. An exception that
// leaves it is rethrown by co_await, and out of a handler becomes a 500. Confined to one thread at
// a time.
template <class T>
class [[nodiscard]] task {
 public:
  struct promise_type;
  using handle = std::coroutine_handle<promise_type>;

  task() = default;
  task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      reset();
      frame_ = std::exchange(other.frame_, {});
    }
    return *this;
  }
  ~task() { reset(); }

  explicit operator bool() const { return static_cast<bool>(frame_); }
  void reset() {
    if (frame_) std::exchange(frame_, {}).destroy();
  }

  // Runs the coroutine without an awaiting one; `done(argument)` is called on the thread where it
  // ends, after which take() may be called. The callee may destroy the task.
  void start(void (*done)(void*), void* argument) {
    frame_.promise().done = done;
    frame_.promise().argument = argument;
    frame_.resume();
  }
  // The result, or the exception, of an ended coroutine. Once.
  T take() { return frame_.promise().take(); }

  auto operator co_await() && {
    struct awaiter {
      handle frame;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
        frame.promise().waiter = waiter;
        return frame;
      }
      T await_resume() { return frame.promise().take(); }
    };
    return awaiter{frame_};
  }

 private:
  explicit task(handle frame) : frame_(frame) {}
  handle frame_{};
};

namespace detail {

struct promise_base {
  std::coroutine_handle<> waiter{};
  void (*done)(void*) = nullptr;
  void* argument = nullptr;

  struct final_awaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> frame) noexcept {
      promise_base& promise = frame.promise();
      if (promise.waiter) return promise.waiter;
      if (promise.done != nullptr) promise.done(promise.argument);  // may destroy the frame
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  final_awaiter final_suspend() noexcept { return {}; }
};

}  // namespace detail

template <class T>
struct task<T>::promise_type : detail::promise_base {
  std::variant<std::monostate, T, std::exception_ptr> outcome;

  task get_return_object() { return task(handle::from_promise(*this)); }
  template <class V>
  void return_value(V&& value) {
    outcome.template emplace<1>(std::forward<V>(value));
  }
  void unhandled_exception() noexcept { outcome.template emplace<2>(std::current_exception()); }
  T take() {
    if (outcome.index() == 2) std::rethrow_exception(std::get<2>(outcome));
    ensure(outcome.index() == 1, "a task's result is taken after it ended");
    return std::move(std::get<1>(outcome));
  }
};

template <>
struct task<void>::promise_type : detail::promise_base {
  std::exception_ptr failure;

  task get_return_object() { return task(handle::from_promise(*this)); }
  void return_void() noexcept {}
  void unhandled_exception() noexcept { failure = std::current_exception(); }
  void take() {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace omnicart::http
