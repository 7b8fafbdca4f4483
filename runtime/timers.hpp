#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "runtime/clock.hpp"
#include "runtime/message.hpp"

namespace omnicart {

// Where the durable wake-ups are kept (persistence). Thread-safe.
class timer_source {
 public:
  virtual ~timer_source() = default;
  // Entities whose wake-up is at or before `now`, at most `limit`, earliest first within a shard. An entity is
  // named again until its journal has moved or deleted the timer.
  virtual std::vector<entity_ref> due(timestamp_ms now, std::size_t limit) = 0;
};

// Sends a wake-up (an empty command) to each entity whose durable timer is due, wherever it rests. At most
// `in_flight_max` wake-ups are out at a time, and never two for the same entity.
class timer_service {
 public:
  timer_service(timer_source& source, message_sink& out, const clock& time, std::size_t in_flight_max = 1'000);
  ~timer_service();
  // Called every 100 ms or so, by one thread.
  void tick();

 private:
  struct out_now;
  timer_source& source_;
  message_sink& out_;
  const clock& time_;
  const std::size_t in_flight_max_;
  std::shared_ptr<out_now> sent_;
};

}  // namespace omnicart
