#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/clock.hpp"
#include "runtime/message.hpp"

namespace omnicart {

// Where the durable wake-ups are kept (persistence). Thread-safe.
class timer_source {
 public:
  virtual ~timer_source() = default;
  // Entities whose wake-up is due at `now`, at most `limit`, with its time. Each is named once, and again after a
  // while should its entity not have settled it.
  virtual result<std::vector<std::pair<entity_ref, timestamp_ms>>> take_due(timestamp_ms now,
                                                                            std::size_t limit) = 0;
};

// Sends a wake-up (an empty command) to each entity whose durable timer is due, wherever it rests.
class timer_service {
 public:
  static constexpr std::size_t wakes_per_tick_max = 1'000;

  timer_service(timer_source& source, message_sink& out, const clock& time);
  // Called every 100 ms or so, by one thread. Fault: base_errc::io from the source.
  status tick();

 private:
  timer_source& source_;
  message_sink& out_;
  const clock& time_;
};

}  // namespace omnicart
