#pragma once

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/message.hpp"

namespace caf {
class actor_system;
}

namespace omnicart {

// What an actor says to an entity through a reference; the fields are those of an envelope. What comes back is an
// `answer`, for refusals and faults, too.
struct entity_call {
  std::string command;  // encoded by the kind's codec
  caller asker;
  command_id id;
  std::uint64_t body = 0;
  std::optional<std::uint64_t> expected_version;
  timestamp_ms deadline = timestamp_ms::max();
  bool repeatable = false;
  duration_ms wait{0};
};

// Calls of one reference that have no answer yet; beyond it they are answered as overloaded.
inline constexpr std::size_t reference_calls_max = 10'000;

// A CAF actor that stands for an entity, wherever it lives: self->request(reference, timeout, entity_call{…}) gets the
// entity's answer, a plain send gets none. It lives as long as its handle or an answer it waits for. `entities` is the
// router, which outlives it.
caf::actor make_reference(caf::actor_system& system, entity_ref to, message_sink& entities);

}  // namespace omnicart

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(omnicart::entity_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(omnicart::answer)
