#include "runtime/timers.hpp"

#include <mutex>
#include <set>

namespace omnicart {

struct timer_service::out_now {
  std::mutex guard;
  std::set<entity_ref> entities;
};

timer_service::timer_service(timer_source& source, message_sink& out, const clock& time, std::size_t in_flight_max)
    : source_(source), out_(out), time_(time), in_flight_max_(in_flight_max), sent_(std::make_shared<out_now>()) {}

timer_service::~timer_service() = default;

void timer_service::tick() {
  std::unique_lock lock(sent_->guard);
  const std::size_t out_before = sent_->entities.size();
  lock.unlock();
  if (out_before >= in_flight_max_) return;
  for (auto& entity : source_.due(time_.wall(), in_flight_max_)) {
    lock.lock();
    const bool fresh = sent_->entities.size() < in_flight_max_ && sent_->entities.insert(entity).second;
    lock.unlock();
    if (!fresh) continue;
    envelope wake;
    wake.to = entity;
    wake.asker.as = role::system;
    wake.reply = [sent = sent_, entity](answer) {
      std::lock_guard hold(sent->guard);
      sent->entities.erase(entity);
    };
    out_.send(std::move(wake));
  }
}

}  // namespace omnicart
