#pragma once

#include <utility>

#include "runtime/id_source.hpp"
#include "runtime/message.hpp"

namespace omnicart::cluster {

// Gives commands that nobody named a name before they leave the node, so that a lost answer may be
// asked for again. `ids` outlives it.
class named_commands final : public message_sink {
 public:
  explicit named_commands(id_source& ids) : ids_(ids) {}

  // Where they go on to; once, before the first send. It outlives this.
  void attach(message_sink& next) { next_ = &next; }

  // Entities repeat what they owe until it is settled, and those they ask know it by its own
  // identity.
  void send(envelope message) override {
    if (message.asker.as == role::system && !message.id) message.repeatable = true;
    if (!message.id && !message.repeatable) {
      message.id = ids_.next();
      message.brief = true;
    }
    next_->send(std::move(message));
  }

 private:
  id_source& ids_;
  message_sink* next_ = nullptr;
};

}  // namespace omnicart::cluster
