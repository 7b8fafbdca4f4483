#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "runtime/base/entity.hpp"

namespace omnicart {

// Called exactly once, on any thread, once the answer may be seen (its log position is durable).
using reply_fn = std::function<void(answer)>;

// A command on its way to an entity, local or remote.
struct envelope {
  entity_ref to;
  std::string command;                            // encoded by the target kind's codec; empty: a wake-up, do what is due
  caller asker;
  command_id id;                                  // zero: not repeatable, no receipt is kept
  bool brief = false;                             // the id was made for the way between nodes: only who sends knows it
  // A copy may have been executed, and left so long before: only then is it told `expired` where nobody can know any more.
  std::optional<duration_ms> doubt;
  std::optional<duration_ms> doubt_as_of;         // then (monotonic clock of this node)
  std::uint64_t body = 0;                         // hash of the client's body, to tell a retry from a reused id
  std::optional<std::uint64_t> expected_version;  // If-Match
  timestamp_ms deadline = timestamp_ms::max();    // refused as expired when it is handled later than this
  bool repeatable = false;                        // doing it twice is as good as once, also without an id (a read)
  duration_ms wait{0};                            // hold the answer while the entity is in progress, at most this
  reply_fn reply;                                 // may be empty: nobody waits
};

// Where commands go. The router for entities; services for ports. Thread-safe, never blocks.
class message_sink {
 public:
  virtual ~message_sink() = default;
  virtual void send(envelope message) = 0;
};

}  // namespace omnicart
