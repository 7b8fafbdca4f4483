#include "http/entity_walk.hpp"

#include <vector>

#include "http/blocking_ask.hpp"

namespace omnicart::http {
envelope engine_question(const char* kind, const std::string& id, const std::string& command) {
  envelope message;
  message.to = {kind, id};
  message.command = command;
  message.asker.as = role::system;
  message.repeatable = true;
  return message;
}

status entity_walk::each(const char* kind, const std::string& question, const taker& take) {
  for (std::uint16_t shard = 0; shard < all_.shard_count(); ++shard) {
    std::string after;
    while (true) {
      if (stopping_) return fail(base_errc::shutting_down);
      const auto ids = all_.ids(kind, shard, after, walk_step);
      if (!ids) return fail(ids.error());
      if (ids->empty()) break;
      after = ids->back();
      std::vector<envelope> questions;
      for (const auto& id : *ids) questions.push_back(engine_question(kind, id, question));
      const timestamp_ms asked_at = time_.wall();
      const auto answers = ask_and_wait(entities_, std::move(questions), walk_step_patience);
      for (std::size_t i = 0; i < ids->size(); ++i) {
        if (auto taken = take((*ids)[i], answers[i], asked_at); !taken) return taken;
      }
    }
  }
  return {};
}

}  // namespace omnicart::http
