#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace omnicart {

// An address of either family; IPv4 is held as the IPv6 address it is mapped to (RFC 4291 section
// 2.5.5.2), so that both ways of writing one are equal.
struct ip_address {
  std::array<std::uint8_t, 16> bytes{};

  // "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; no port, brackets, zone or leading zeros.
  static std::optional<ip_address> parse(std::string_view text);
  // As parse() reads it; a mapped IPv4 address as "192.0.2.1".
  std::string text() const;

  friend bool operator==(const ip_address&, const ip_address&) = default;
};

// The addresses that share their first bits.
class ip_network {
 public:
  // An address, or "10.0.0.0/8", "2001:db8::/32" (RFC 4632, RFC 4291 section 2.3). Nothing for
  // other text, and when bits behind the prefix are set: that is a slip.
  static std::optional<ip_network> parse(std::string_view text);

  bool holds(const ip_address& which) const;

 private:
  ip_address base_;
  unsigned bits_ = 128;  // of the 16 bytes
};

}  // namespace omnicart
