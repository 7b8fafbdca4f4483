#include "tools/omnicartd/pay_supervisor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "runtime/log.hpp"

namespace omnicart::node {
namespace {

constexpr duration_ms first_delay{100};
constexpr duration_ms longest_delay{10'000};
constexpr duration_ms calm{60'000};  // one that lived so long did not die of its start

}  // namespace

duration_ms pay_supervisor::delay_before(unsigned attempt) {
  const unsigned doublings = std::min(attempt > 0 ? attempt - 1 : 0, 16u);
  return std::min(first_delay * (1 << doublings), longest_delay);
}

status pay_supervisor::start(pay_command what) {
  what_ = std::move(what);
  wake_ = ::eventfd(0, EFD_CLOEXEC);
  if (wake_ < 0)
    return fail(base_errc::unavailable, std::string("no eventfd: ") + std::strerror(errno));
  if (auto started = child_.start(what_); !started) return started;
  what_.address = child_.address();
  url_ = "http://" + what_.address;
  now_.up = true;
  thread_ = std::thread([this] { run(); });
  return {};
}

void pay_supervisor::stop(duration_ms deadline) {
  if (wake_ < 0) return;
  ::eventfd_write(wake_, 1);
  if (thread_.joinable()) thread_.join();
  child_.stop(deadline);
  ::close(wake_);
  wake_ = -1;
  const std::lock_guard guard(mutex_);
  now_.up = false;
}

pay_supervisor::figures pay_supervisor::look() const {
  const std::lock_guard guard(mutex_);
  return now_;
}

void pay_supervisor::run() {
  auto began = std::chrono::steady_clock::now();
  while (child_.wait(wake_)) {
    if (std::chrono::steady_clock::now() - began >= calm) attempts_ = 0;
    if (!start_again()) return;
    began = std::chrono::steady_clock::now();
  }
}

// False: stopped before it ran.
bool pay_supervisor::start_again() {
  std::string trouble = "omnicart-pay " + child_.ending();
  for (;;) {
    const auto delay = delay_before(++attempts_);
    say_down(trouble, delay);
    if (stopped_within(delay)) return false;
    auto started = child_.start(what_, wake_);
    if (started) break;
    if (stopped_within(duration_ms{0})) return false;
    trouble = started.error().detail;
  }
  std::uint64_t restarts = 0;
  {
    const std::lock_guard guard(mutex_);
    restarts = ++now_.restarts;
    now_.up = true;
    now_.trouble.clear();
  }
  log::warning("payment provider runs again", {{"url", url_}, {"restarts", restarts}});
  return true;
}

void pay_supervisor::say_down(const std::string& trouble, duration_ms restart_in) {
  {
    const std::lock_guard guard(mutex_);
    now_.up = false;
    now_.trouble = trouble;
  }
  log::error("payment provider is down", {{"why", trouble}, {"restart_in_ms", restart_in}});
}

bool pay_supervisor::stopped_within(duration_ms span) const {
  pollfd woken{wake_, POLLIN, 0};
  return ::poll(&woken, 1, static_cast<int>(span.count())) > 0;
}

}  // namespace omnicart::node
