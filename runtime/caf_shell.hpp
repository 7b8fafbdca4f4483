#pragma once

#include <cstddef>
#include <memory>

#include "runtime/router.hpp"

namespace caf {
class actor_system;
}

namespace omnicart {

// The CAF actor system of a node and the thin actor around each entity host. All of CAF is behind this header
// and caf_reference.hpp.
class caf_shell {
 public:
  // `workers`: threads that run entities.
  explicit caf_shell(std::size_t workers);
  // Ends every actor. The router must have released its mailboxes, and nothing may call back afterwards.
  ~caf_shell();
  caf_shell(const caf_shell&) = delete;
  caf_shell& operator=(const caf_shell&) = delete;

  // Before the router releases its mailboxes: drops what was to be delivered later; from now on nothing is.
  void drop_delayed();

  // Gives each entity a CAF actor. The activator refers to this shell, which outlives the router's last send.
  router::activator activator();

  // For actors of other makers, and for references to entities (runtime/caf_reference.hpp). Lives as long as this.
  caf::actor_system& system();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace omnicart
