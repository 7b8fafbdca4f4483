#include "http/payment_gateway.hpp"

#include <utility>  // before Asio: Boost 1.74 needs it with GCC 12

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "http/provider_line.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// A command that waits for a connection.
struct waiting_command {
  envelope message;
  duration_ms since;
};

}  // namespace

class payment_gateway::impl final : public line_owner {
 public:
  impl(payment_gateway_options options, const clock& time);
  ~impl() { stop(duration_ms{0}); }

  void send(envelope message);
  void stop(duration_ms drain);
  payment_gateway_figures figures() const;

  void finished(provider_line& line, envelope message,
                const result<payment::charge_result>& what) override;
  const payment_gateway_options& options() const override { return options_; }
  duration_ms now() const override { return time_.monotonic(); }

 private:
  void enqueue(envelope message);
  void pump();
  std::optional<open_call> open(waiting_command next);
  void answer_with(envelope& message, const result<payment::charge_result>& what);
  void count(const result<payment::charge_result>& what);
  void sweep();
  void arm_sweep();
  void begin_stop(duration_ms drain);
  void abandon_rest();
  void end_if_drained();

  const payment_gateway_options options_;
  const clock& time_;
  const duration_ms sweep_every_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::steady_timer sweeper_{io_};
  std::vector<std::unique_ptr<provider_line>> lines_;
  std::vector<provider_line*> idle_;  // the one used last is at the back: few connections stay warm
  std::deque<waiting_command> queue_;
  bool sweeping_ = false;
  std::optional<duration_ms> drained_by_;

  // Counts what send() let in and nobody answered yet. send() counts before it looks at stopping_,
  // and the thread ends at zero after stopping_ is set: so nothing that was let in is left behind.
  std::atomic<std::uint64_t> waiting_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> answered_{0}, refused_{0}, unknown_{0}, not_sent_{0};
  std::thread thread_;
};

payment_gateway::impl::impl(payment_gateway_options options, const clock& time)
    : options_(std::move(options)),
      time_(time),
      sweep_every_(std::clamp(
          std::min({options_.answer_timeout, options_.connect_timeout, options_.queue_wait}) / 8,
          duration_ms{1}, duration_ms{50})) {
  ensure(options_.connections > 0, "a payment gateway has connections");
  for (std::size_t i = 0; i < options_.connections; ++i) {
    lines_.push_back(std::make_unique<provider_line>(io_, *this));
    idle_.push_back(lines_.back().get());
  }
  thread_ = std::thread([this] { io_.run(); });
}

void payment_gateway::impl::send(envelope message) {
  const auto refuse = [&](base_errc code, const char* why) {
    waiting_.fetch_sub(1);
    ++not_sent_;
    if (message.reply) message.reply({.failure = make_error(code, why)});
  };
  const auto waiting = waiting_.fetch_add(1);
  if (stopping_) return refuse(base_errc::shutting_down, "the payment gateway stops");
  if (waiting >= options_.queue_max + options_.connections) {
    return refuse(base_errc::overloaded, "too many payments are waiting");
  }
  asio::post(io_, [this, taken = std::move(message)]() mutable { enqueue(std::move(taken)); });
}

void payment_gateway::impl::enqueue(envelope message) {
  queue_.push_back({std::move(message), now()});
  pump();
  arm_sweep();
  if (drained_by_ && now() >= *drained_by_) abandon_rest();
}

void payment_gateway::impl::pump() {
  while (!queue_.empty() && !idle_.empty()) {
    auto next = std::move(queue_.front());
    queue_.pop_front();
    auto call = open(std::move(next));
    if (!call) continue;
    auto* line = idle_.back();
    idle_.pop_back();
    line->serve(std::move(*call));
  }
}

// The command as a call; nothing when it is answered already.
std::optional<open_call> payment_gateway::impl::open(waiting_command next) {
  auto& message = next.message;
  if (time_.wall() > message.deadline) {
    answer_with(message,
                fail(base_errc::expired, "the payment command waited beyond its deadline"));
    return std::nullopt;
  }
  auto command = payment::decode_command(message.command);
  if (!command) {
    answer_with(message, fail(command.error()));
    return std::nullopt;
  }
  const auto& order =
      std::visit([](const auto& what) -> const order_id& { return what.order; }, *command);
  if (message.to.kind != "payment" || order.str() != message.to.id) {
    answer_with(message, fail(base_errc::malformed,
                              "a payment command is addressed to payment/<its order>"));
    return std::nullopt;
  }
  return open_call{std::move(message), std::move(*command)};
}

void payment_gateway::impl::finished(provider_line& line, envelope message,
                                     const result<payment::charge_result>& what) {
  idle_.push_back(&line);
  answer_with(message, what);
  pump();  // no recursion: a line never finishes a call while it is handed over
}

void payment_gateway::impl::answer_with(envelope& message,
                                        const result<payment::charge_result>& what) {
  count(what);
  if (message.reply) {
    answer said;
    if (what) said.payload = payment::encode_reply(*what);
    if (!what) said.failure = what.error();
    message.reply(std::move(said));
  }
  waiting_.fetch_sub(1);
  end_if_drained();
}

void payment_gateway::impl::count(const result<payment::charge_result>& what) {
  if (what) {
    ++answered_;
  } else if (what.error().is(base_errc::timeout)) {
    ++unknown_;
  } else if (is_fault(what.error().number) || what.error().is(base_errc::expired)) {
    ++not_sent_;
  } else {
    ++refused_;
  }
}

void payment_gateway::impl::arm_sweep() {
  if (sweeping_ || (waiting_.load() == 0 && !drained_by_)) return;
  sweeping_ = true;
  sweeper_.expires_after(sweep_every_);
  sweeper_.async_wait([this](const error_code& failed) {
    sweeping_ = false;
    if (!failed) sweep();
  });
}

void payment_gateway::impl::sweep() {
  for (const auto& line : lines_) line->sweep();
  while (!queue_.empty() && now() >= queue_.front().since + options_.queue_wait) {
    auto late = std::move(queue_.front());
    queue_.pop_front();
    answer_with(late.message,
                fail(base_errc::overloaded, "the payment waited too long for a connection"));
  }
  pump();
  if (drained_by_ && now() >= *drained_by_) abandon_rest();
  arm_sweep();
  end_if_drained();
}

void payment_gateway::impl::stop(duration_ms drain) {
  if (!thread_.joinable()) return;
  stopping_ = true;
  asio::post(io_, [this, drain] { begin_stop(drain); });
  thread_.join();
}

void payment_gateway::impl::begin_stop(duration_ms drain) {
  drained_by_ = now() + drain;
  if (drain <= duration_ms{0}) abandon_rest();
  arm_sweep();
  end_if_drained();
}

void payment_gateway::impl::abandon_rest() {
  for (auto& left : std::exchange(queue_, {})) {
    answer_with(left.message, fail(base_errc::shutting_down, "the payment gateway stops"));
  }
  for (const auto& line : lines_) {
    if (!line->idle()) line->give_up(base_errc::timeout, "the payment gateway stops");
  }
}

void payment_gateway::impl::end_if_drained() {
  if (drained_by_ && waiting_.load() == 0) io_.stop();
}

payment_gateway_figures payment_gateway::impl::figures() const {
  return {.waiting = waiting_,
          .answered = answered_,
          .refused = refused_,
          .unknown = unknown_,
          .not_sent = not_sent_};
}

payment_gateway::payment_gateway(payment_gateway_options options, const clock& time)
    : impl_(std::make_unique<impl>(std::move(options), time)) {}
payment_gateway::~payment_gateway() = default;

void payment_gateway::send(envelope message) { impl_->send(std::move(message)); }
void payment_gateway::stop(duration_ms drain) { impl_->stop(drain); }
payment_gateway_figures payment_gateway::figures() const { return impl_->figures(); }

}  // namespace omnicart::http
