#include "runtime/caf_shell.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "runtime/delay_line.hpp"

namespace omnicart {

// A host message as CAF carries it; never serialised: what goes to another node goes through the link.
struct parcel {
  host_message content;
};

}  // namespace omnicart

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(omnicart::parcel)

namespace omnicart {
namespace {

// One entity as an actor: its mailbox feeds the host, which does the work.
class entity_actor final : public caf::event_based_actor, public mailbox {
 public:
  entity_actor(caf::actor_config& config, const entity_ref& self, const kind_entry& kind, host_environment& env,
               delay_line* later)
      : caf::event_based_actor(config), later_(*later), host_(self, kind, env, *this) {}

  caf::behavior make_behavior() override {
    return {[this](parcel& message) {
      if (host_.receive(std::move(message.content))) quit();
    }};
  }

  void post(host_message message) override { caf::anon_send(handle(), parcel{std::move(message)}); }
  void post_after(duration_ms delay, host_message message) override {
    later_.run_after(delay, [to = handle(), message = std::move(message)]() mutable {
      caf::anon_send(to, parcel{std::move(message)});
    });
  }

 private:
  caf::actor handle() { return caf::actor_cast<caf::actor>(this); }

  delay_line& later_;
  entity_host host_;
};

caf::actor_system_config& configured(caf::actor_system_config& config, std::size_t workers) {
  // One shared run queue: an idle worker sleeps on it instead of polling, which two cores shared with the
  // front and the disk need more than they need CAF's work stealing.
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", workers);
  return config;
}

}  // namespace

struct caf_shell::state {
  caf::actor_system_config config;
  caf::actor_system system;
  delay_line later;  // ends before the system whose actors it speaks to

  explicit state(std::size_t workers) : system(configured(config, workers)) {}
};

caf_shell::caf_shell(std::size_t workers) : state_(std::make_unique<state>(workers)) {}

caf_shell::~caf_shell() = default;

caf::actor_system& caf_shell::system() { return state_->system; }

void caf_shell::drop_delayed() { state_->later.stop(); }

router::activator caf_shell::activator() {
  return [this](const entity_ref& self, const kind_entry& kind, host_environment& env) -> std::shared_ptr<mailbox> {
    // Hidden: actors at rest do not keep the system from ending.
    caf::actor entity = state_->system.spawn<entity_actor, caf::hidden>(self, kind, env, &state_->later);
    mailbox* box = static_cast<entity_actor*>(caf::actor_cast<caf::abstract_actor*>(entity));
    // The handle in the deleter is what keeps the actor alive.
    return {box, [entity = std::move(entity)](mailbox*) {}};
  };
}

}  // namespace omnicart
