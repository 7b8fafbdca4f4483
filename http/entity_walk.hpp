#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>

#include "runtime/base/time.hpp"
#include "runtime/clock.hpp"
#include "runtime/entity_directory.hpp"
#include "runtime/message.hpp"

namespace omnicart::http {

// So many are asked at once, and so long may they take.
inline constexpr std::size_t walk_step = 256;
inline constexpr duration_ms walk_step_patience{30'000};

// Asks every entity of a kind the same question in the engine's name, a step at a time, so that memory stays small
// however large the shop is. Blocks: for operators' threads only.
class entity_walk {
 public:
  // All outlive it; once `stopping` is true nothing is waited for any more.
  entity_walk(message_sink& entities, entity_directory& all, const clock& time, const std::atomic<bool>& stopping)
      : entities_(entities), all_(all), time_(time), stopping_(stopping) {}

  // `take` gets the id, the answer, and when it was asked for; what it refuses ends the walk. Faults: what kept it
  // from reading; shutting_down.
  using taker = std::function<status(const std::string&, const answer&, timestamp_ms)>;
  status each(const char* kind, const std::string& question, const taker& take);

 private:
  message_sink& entities_;
  entity_directory& all_;
  const clock& time_;
  const std::atomic<bool>& stopping_;
};

// A question to one entity in the engine's name.
envelope engine_question(const char* kind, const std::string& id, const std::string& command);

}  // namespace omnicart::http
