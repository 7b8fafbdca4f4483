#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "runtime/base/entity.hpp"
#include "runtime/journal.hpp"
#include "runtime/message.hpp"

namespace omnicart {

// What reaches a host besides commands: answers to its own questions.
struct state_loaded { result<stored_entity> found; };
struct receipt_looked_up {
  envelope message;
  result<std::optional<receipt>> found;
  ticket since;  // what was durable when the look-up began, and so was seen by it
};
struct effect_answered { std::string key; answer got; };
struct answers_due {};                     // answers that came have waited long enough for the others
struct retry_due { std::string key; };     // an effect's back-off is over
struct waiters_due {};                     // some patient caller's time may be over
struct passivation_asked {};
struct leadership_lost {};                 // another node may decide for the entity by now

using host_message = std::variant<envelope, state_loaded, receipt_looked_up, effect_answered, answers_due,
                                  retry_due, waiters_due, passivation_asked, leadership_lost>;

// The way into one host: a CAF actor's mailbox in production, a queue under simulation. Thread-safe; messages
// are handled one at a time, in order of posting. Lives as long as its host.
class mailbox {
 public:
  virtual ~mailbox() = default;
  virtual void post(host_message message) = 0;
  virtual void post_after(duration_ms delay, host_message message) = 0;

  // Commands posted and not yet handled; the router counts up, the host down.
  std::atomic<std::uint32_t> backlog{0};
};

}  // namespace omnicart
