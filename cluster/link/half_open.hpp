#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace omnicart::cluster {

// An accepted connection whose handshake is not over.
struct half_open {
  std::uint64_t network = 0;  // where it comes from (runtime/base/peer_network.hpp)
  bool certified = false;     // it has shown a certificate of the cluster
};

// Which one gives way to a newcomer: the oldest from the network that has most of them, so that who
// opens many and says nothing crowds out itself. One that is certified only if all are. `all`:
// oldest first, at least one.
std::size_t one_to_give_way(std::span<const half_open> all);

}  // namespace omnicart::cluster
