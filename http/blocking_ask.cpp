#include "http/blocking_ask.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>

namespace omnicart::http {
namespace {

struct gathering {
  std::mutex guard;
  std::condition_variable changed;
  std::vector<answer> answers;
  std::size_t left = 0;
};

answer timed_out() {
  answer got;
  got.failure = make_error(base_errc::timeout, "no answer in time");
  return got;
}

}  // namespace

std::vector<answer> ask_and_wait(message_sink& entities, std::vector<envelope> messages, duration_ms patience) {
  // Shared with the replies: one that comes too late finds it still there.
  auto all = std::make_shared<gathering>();
  all->answers.assign(messages.size(), timed_out());
  all->left = messages.size();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i].reply = [all, i](answer got) {
      std::lock_guard lock(all->guard);
      all->answers[i] = std::move(got);
      if (--all->left == 0) all->changed.notify_all();
    };
    entities.send(std::move(messages[i]));
  }
  std::unique_lock lock(all->guard);
  all->changed.wait_for(lock, patience, [&] { return all->left == 0; });
  return all->answers;
}

}  // namespace omnicart::http
