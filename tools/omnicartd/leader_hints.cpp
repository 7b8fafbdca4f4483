#include "tools/omnicartd/leader_hints.hpp"

#include <utility>

#include "http/leader_hint.hpp"

namespace omnicart::node {

void leader_hints::send(envelope message) {
  message.reply = [this, tell = std::move(message.reply)](answer got) {
    const auto leader = got.failure ? leader_named_by(*got.failure) : std::nullopt;
    if (leader) http::add_leader_address(*got.failure, http_of_(*leader));
    if (tell) tell(std::move(got));
  };
  next_.send(std::move(message));
}

}  // namespace omnicart::node
