#include "runtime/caf_reference.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/send.hpp>
#include <unordered_map>
#include <utility>

namespace omnicart {

// An answer on its way from whichever thread had it to the actor whose promise it keeps.
struct kept_promise {
  std::uint64_t call = 0;
  answer got;
};

}  // namespace omnicart

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(omnicart::kept_promise)

namespace omnicart {
namespace {

class reference_actor final : public caf::event_based_actor {
 public:
  reference_actor(caf::actor_config& config, entity_ref to, message_sink& entities)
      : caf::event_based_actor(config), to_(std::move(to)), entities_(entities) {}

  caf::behavior make_behavior() override {
    return {[this](entity_call& call) { return ask(call); },
            [this](kept_promise& kept) {
              const auto at = promises_.find(kept.call);
              at->second.deliver(std::move(kept.got));
              promises_.erase(at);
            }};
  }

 private:
  caf::response_promise ask(entity_call& call) {
    auto promise = make_response_promise();
    if (promises_.size() >= reference_calls_max) {
      answer full;
      full.failure = make_error(base_errc::overloaded, "too many calls of this reference wait for an answer");
      promise.deliver(std::move(full));
      return promise;
    }
    const std::uint64_t number = ++last_call_;
    promises_.emplace(number, promise);
    envelope message;
    message.to = to_;
    message.command = std::move(call.command);
    message.asker = std::move(call.asker);
    message.id = call.id;
    message.body = call.body;
    message.expected_version = call.expected_version;
    message.deadline = call.deadline;
    message.repeatable = call.repeatable;
    message.wait = call.wait;
    // The handle keeps this actor until the answer is there.
    message.reply = [self = caf::actor_cast<caf::actor>(this), number](answer got) {
      caf::anon_send(self, kept_promise{number, std::move(got)});
    };
    entities_.send(std::move(message));
    return promise;
  }

  const entity_ref to_;
  message_sink& entities_;
  std::uint64_t last_call_ = 0;
  std::unordered_map<std::uint64_t, caf::response_promise> promises_;
};

}  // namespace

caf::actor make_reference(caf::actor_system& system, entity_ref to, message_sink& entities) {
  // Hidden: a reference that nobody uses does not keep the system from ending.
  return system.spawn<reference_actor, caf::hidden>(std::move(to), entities);
}

}  // namespace omnicart
