#include "tools/load/coroutine.hpp"

namespace omnicart::load {

task<> sleep_for(asio::io_context& io, std::chrono::microseconds span) {
  timer wait(io.get_executor(), span);
  boost::system::error_code ignored;
  co_await wait.async_wait(asio::redirect_error(use_task, ignored));
}

task<> gather(asio::io_context& io, std::size_t count, std::function<task<>(std::size_t)> body,
              std::function<void()> on_failure) {
  if (count == 0) co_return;
  std::size_t running = count;
  std::exception_ptr first;
  timer done(io.get_executor(), timer::time_point::max());
  for (std::size_t i = 0; i < count; ++i) {
    asio::co_spawn(io.get_executor(), body(i), [&](std::exception_ptr failed) {
      if (failed && !first) {
        first = failed;
        if (on_failure) on_failure();
      }
      if (--running == 0) done.cancel();
    });
  }
  boost::system::error_code cancelled;
  // A body that ends before the wait begins cannot cancel it, hence the loop condition first.
  while (running > 0) co_await done.async_wait(asio::redirect_error(use_task, cancelled));
  if (first) std::rethrow_exception(first);
}

}  // namespace omnicart::load
