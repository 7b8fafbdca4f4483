#include "cluster/link/outbox.hpp"

#include <algorithm>

#include "cluster/link/frame.hpp"

namespace omnicart::cluster {
namespace {

// Bytes of one batch by channel; one message always fits.
constexpr std::array<std::size_t, channel_count> shares{4 * 1024,  256 * 1024, 16 * 1024,
                                                        64 * 1024, 64 * 1024,  1};

}  // namespace

outbox::verdict outbox::push(channel on, std::string payload) {
  const channel_limit& limit = limit_of(on);
  queue& to = queues_[static_cast<std::size_t>(on)];
  if (payload.size() > limit.frame_bytes_max) return verdict::too_long;
  const std::size_t cost = payload.size() + overhead_bytes;
  if (to.bytes + cost > limit.window_bytes_max) {
    to.refused = true;
    return verdict::full;
  }
  to.bytes += cost;
  to.messages.push_back(std::move(payload));
  return verdict::taken;
}

bool outbox::may_leave(channel on, const std::string& message) const {
  return on != channel::snapshot || message.size() <= credit_;
}

void outbox::fill(std::string& out, std::uint8_t version, std::uint64_t& sequence) {
  for (std::size_t i = 0; i < channel_count; ++i) {
    const auto on = static_cast<channel>(i);
    queue& from = queues_[i];
    for (std::size_t used = 0; !from.messages.empty() && used < shares[i];) {
      const std::string& next = from.messages.front();
      if (!may_leave(on, next)) break;
      if (on == channel::snapshot) credit_ -= next.size();
      append_frame(out, version, ++sequence, on, next);
      used += next.size() + overhead_bytes;
      from.bytes -= next.size() + overhead_bytes;
      from.messages.pop_front();
    }
  }
}

void outbox::add_credit(std::size_t bytes) {
  const std::size_t most = limit_of(channel::snapshot).window_bytes_max;
  credit_ = std::min(most, credit_ + std::min(bytes, most));
}

bool outbox::has_room_again(channel on) {
  queue& at = queues_[static_cast<std::size_t>(on)];
  if (!at.refused || at.bytes > limit_of(on).window_bytes_max / 2) return false;
  at.refused = false;
  return true;
}

void outbox::reset() {
  queues_ = {};
  credit_ = limit_of(channel::snapshot).window_bytes_max;
}

std::size_t outbox::waiting_bytes() const {
  std::size_t bytes = 0;
  for (const queue& each : queues_) bytes += each.bytes;
  return bytes;
}

}  // namespace omnicart::cluster
