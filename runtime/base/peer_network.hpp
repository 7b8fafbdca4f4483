#pragma once

#include <cstdint>
#include <string_view>

namespace omnicart {

// Whom a limit counts as one peer: an IPv4 address, or the /64 of an IPv6 one, since that is what a
// household is given (RFC 6177) and may change within at will. IPv4-mapped addresses count as IPv4.
struct peer_network {
  std::uint64_t key = 0;
  bool loopback = false;  // 127.0.0.0/8, ::1

  friend bool operator==(const peer_network&, const peer_network&) = default;
};

// Total: what is no address gets a key of its own text.
peer_network network_of(std::string_view address);

}  // namespace omnicart
