#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/message.hpp"
#include "tests/sim/sim_checks.hpp"
#include "tests/sim/timeline.hpp"

namespace omnicart::sim {

// The way from clients to the node. `got` is called once: with the answer, or a fault when the
// connection is lost.
class wire {
 public:
  virtual ~wire() = default;
  virtual void reach(envelope message, std::function<void(answer)> got) = 0;
};

struct client_habits {
  std::uint32_t give_up_percent = 0;  // after an unknown outcome, instead of trying again
  std::uint32_t repeat_percent = 10;  // of commands that are sent twice, at once or much later
  duration_ms repeat_most{90'000};    // how much later
};

// Sends commands as a browser with idempotency keys does: again and again with the same key until
// the outcome is known; sometimes twice at once; sometimes a copy turns up a minute later. Whatever
// comes back is checked.
class sim_client {
 public:
  sim_client(timeline& time, wire& node, sim_checks& checks, caller who, std::string name,
             client_habits habits);
  virtual ~sim_client() = default;
  sim_client(const sim_client&) = delete;
  sim_client& operator=(const sim_client&) = delete;

  const std::string& name() const { return name_; }

 protected:
  struct operation {
    std::string label;
    envelope message;
    std::function<void(const answer&)> known;  // accepted, or refused by the rules
    std::function<void()> given_up;            // the outcome stays unknown
    std::uint32_t attempts = 0;
    bool decided = false;
    answer first;
  };
  using operation_ptr = std::shared_ptr<operation>;

  // A command of this client; with a key of its own when it is `keyed`.
  enum class keyed : std::uint8_t { no, yes };
  operation_ptr ask(std::string label, entity_ref to, std::string command, keyed how,
                    std::function<void(const answer&)> known);
  void perform(const operation_ptr& what);
  // Sends a command again whose outcome is known: it must be answered as then.
  void repeat(const operation_ptr& what, std::function<void()> then);
  void after(duration_ms delay, std::function<void()> what);
  std::string next_key();

  timeline& time_;
  sim_checks& checks_;
  const caller who_;
  const client_habits habits_;

 private:
  void attempt(const operation_ptr& what);
  void on_answer(const operation_ptr& what, const answer& got);
  void compare(const operation_ptr& what, const answer& got);

  wire& node_;
  const std::string name_;
  std::uint64_t keys_ = 0;
};

}  // namespace omnicart::sim
