#include "runtime/base/peer_network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/base/ids.hpp"

namespace omnicart {
namespace {

// IPv4 stands where no /64 in use begins: ::ffff:0:0/96 belongs to mapped addresses.
constexpr std::uint64_t ipv4_prefix = std::uint64_t{0xFFFF} << 32;

std::uint64_t big_endian(const unsigned char* bytes, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | bytes[i];
  return number;
}

peer_network of_ipv4(const unsigned char* bytes) {
  return {.key = ipv4_prefix | big_endian(bytes, 4), .loopback = bytes[0] == 127};
}

peer_network of_ipv6(const unsigned char* bytes) {
  constexpr std::array<unsigned char, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(mapped.begin(), mapped.end(), bytes)) return of_ipv4(bytes + mapped.size());
  const bool own = big_endian(bytes, 8) == 0 && big_endian(bytes + 8, 8) == 1;
  return {.key = big_endian(bytes, 8), .loopback = own};
}

}  // namespace

peer_network network_of(std::string_view address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto plain = address.substr(0, address.find('%'));  // without a zone
  if (plain.size() < text.size()) {
    std::memcpy(text.data(), plain.data(), plain.size());
    std::array<unsigned char, 16> bytes;
    if (::inet_pton(AF_INET, text.data(), bytes.data()) == 1) return of_ipv4(bytes.data());
    if (::inet_pton(AF_INET6, text.data(), bytes.data()) == 1) return of_ipv6(bytes.data());
  }
  return {.key = body_hash(address), .loopback = false};
}

}  // namespace omnicart
