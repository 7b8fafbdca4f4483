#pragma once

#include <utility>

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "http/server/mailbox.hpp"

namespace omnicart::http {

// Thrown by co_await when every copy of the callback was dropped without a call. Out of a handler:
// 503.
class reply_lost : public std::runtime_error {
 public:
  reply_lost() : std::runtime_error("the callee dropped its callback") {}
};

namespace detail {

// Shared by the awaiting coroutine, the callers of `done`, and the mailbox on the way back.
template <class T>
class reply_state final : public parcel {
 public:
  void send(T value) {
    if (sent_.exchange(true, std::memory_order_acq_rel)) return;  // only the first call counts
    value_.emplace(std::move(value));
    settle();
  }
  void add_sender() { senders_.fetch_add(1, std::memory_order_relaxed); }
  void drop_sender() {
    if (senders_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (!sent_.exchange(true, std::memory_order_acq_rel)) settle();
    release();
  }

  // True: the coroutine stays suspended until the reply comes.
  bool suspend(std::coroutine_handle<> waiter, std::shared_ptr<mailbox> home) {
    waiter_ = waiter;
    home_ = std::move(home);
    phase expected = phase::starting;
    return phase_.compare_exchange_strong(expected, phase::waiting, std::memory_order_acq_rel);
  }
  T take() {
    if (!value_) throw reply_lost();
    return std::move(*value_);
  }
  // The coroutine was destroyed while it waited.
  void abandon() {
    phase_.exchange(phase::abandoned, std::memory_order_acq_rel);
    release();
  }

  void deliver() override {
    phase expected = phase::settled;
    if (phase_.compare_exchange_strong(expected, phase::resumed, std::memory_order_acq_rel))
      waiter_.resume();
    release();
  }
  void discard() override { release(); }

 private:
  enum class phase : std::uint8_t { starting, waiting, settled, resumed, abandoned };

  void settle() {
    phase before = phase_.load(std::memory_order_acquire);
    do {
      if (before == phase::abandoned) return;
    } while (!phase_.compare_exchange_weak(before, phase::settled, std::memory_order_acq_rel));
    if (before != phase::waiting) return;  // suspend() will see it
    references_.fetch_add(1, std::memory_order_relaxed);
    if (home_) return home_->push(this);
    deliver();
  }
  void release() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  std::atomic<std::uint32_t> references_{2};  // the awaiter and all senders together
  std::atomic<std::uint32_t> senders_{1};
  std::atomic<bool> sent_{false};
  std::atomic<phase> phase_{phase::starting};
  std::optional<T> value_;
  std::coroutine_handle<> waiter_;
  std::shared_ptr<mailbox> home_;
};

}  // namespace detail

// What an asynchronous callee calls with its answer: any thread, the first call counts. Copyable,
// so that it fits a std::function. Dropping every copy without a call resumes the waiter with
// reply_lost.
template <class T>
class reply_callback {
 public:
  explicit reply_callback(detail::reply_state<T>* state) : state_(state) {}
  reply_callback(const reply_callback& other) : state_(other.state_) {
    if (state_ != nullptr) state_->add_sender();
  }
  reply_callback(reply_callback&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  reply_callback& operator=(reply_callback other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~reply_callback() {
    if (state_ != nullptr) state_->drop_sender();
  }
  void operator()(T value) const { state_->send(std::move(value)); }

 private:
  detail::reply_state<T>* state_;
};

// The awaitable of async_reply. One allocation, shared with the callback.
template <class T, class Start>
class [[nodiscard]] reply_awaiter {
 public:
  explicit reply_awaiter(Start start) : start_(std::move(start)) {}
  reply_awaiter(const reply_awaiter&) = delete;
  reply_awaiter& operator=(const reply_awaiter&) = delete;
  ~reply_awaiter() {
    if (state_ != nullptr) state_->abandon();
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    state_ = new detail::reply_state<T>();
    start_(reply_callback<T>(state_));
    mailbox* home = mailbox::current();
    return state_->suspend(waiter, home != nullptr ? home->shared_from_this() : nullptr);
  }
  T await_resume() { return state_->take(); }

 private:
  Start start_;
  detail::reply_state<T>* state_ = nullptr;
};

// co_await async_reply<answer>([&](auto done) { sink.send({…, .reply = std::move(done)}); })
// calls the function with a reply_callback<answer> and waits, without a thread, for its answer.
// Resumes on the thread of the connection that awaits (outside of a server: on the thread that
// answers). Destroying the waiting coroutine is safe: a late answer goes nowhere.
template <class T, class Start>
auto async_reply(Start start) {
  return reply_awaiter<T, Start>(std::move(start));
}

// Starts `count` operations at once, start(i, done), and waits for all: answers in the order of i.
template <class T, class Start>
auto async_replies(std::size_t count, Start start) {
  struct gathering {
    gathering(std::size_t size, reply_callback<std::vector<T>> whole)
        : answers(size), left(size), done(std::move(whole)) {}
    std::vector<T> answers;
    std::atomic<std::size_t> left;
    reply_callback<std::vector<T>> done;
  };
  return async_reply<std::vector<T>>(
      [count, start = std::move(start)](reply_callback<std::vector<T>> done) {
        if (count == 0) return done({});
        auto all = std::make_shared<gathering>(count, std::move(done));
        for (std::size_t i = 0; i < count; ++i) {
          start(i, [all, i](T answer) {
            all->answers[i] = std::move(answer);
            if (all->left.fetch_sub(1, std::memory_order_acq_rel) == 1)
              all->done(std::move(all->answers));
          });
        }
      });
}

}  // namespace omnicart::http
