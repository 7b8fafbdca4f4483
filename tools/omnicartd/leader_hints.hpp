#pragma once

#include <functional>
#include <string>

#include "runtime/message.hpp"
#include "runtime/placement.hpp"

namespace omnicart::node {

// Passes commands of the public front on; a fault that says which node leads gets that node's
// public address, for the client. Thread-safe.
class leader_hints final : public message_sink {
 public:
  // "HOST:PORT" of a node's public front; empty: not known. Called on any thread, and must not
  // block.
  using address_fn = std::function<std::string(node_id)>;

  // `next` outlives it, and it the last answer.
  leader_hints(message_sink& next, address_fn http_of)
      : next_(next), http_of_(std::move(http_of)) {}
  void send(envelope message) override;

 private:
  message_sink& next_;
  const address_fn http_of_;
};

}  // namespace omnicart::node
