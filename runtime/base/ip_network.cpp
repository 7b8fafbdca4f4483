#include "runtime/base/ip_network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace omnicart {
namespace {

constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool is_v4(const ip_address& which) {
  return std::equal(mapped.begin(), mapped.end(), which.bytes.begin());
}

// Whether the first `bits` are those of `base`.
bool shares(const ip_address& which, const ip_address& base, unsigned bits) {
  const unsigned whole = bits / 8, rest = bits % 8;
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + whole, which.bytes.begin()))
    return false;
  const auto mask = static_cast<std::uint8_t>(0xFF00u >> rest);
  return rest == 0 || ((which.bytes[whole] ^ base.bytes[whole]) & mask) == 0;
}

}  // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> ended{};
  if (text.size() >= ended.size() || text.find('\0') != text.npos) return std::nullopt;
  std::copy(text.begin(), text.end(), ended.begin());
  ip_address out;
  if (::inet_pton(AF_INET6, ended.data(), out.bytes.data()) == 1) return out;
  std::copy(mapped.begin(), mapped.end(), out.bytes.begin());
  if (::inet_pton(AF_INET, ended.data(), out.bytes.data() + mapped.size()) == 1) return out;
  return std::nullopt;
}

std::string ip_address::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  const bool v4 = is_v4(*this);
  ::inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data() + (v4 ? mapped.size() : 0), out.data(),
              out.size());
  return out.data();
}

std::optional<ip_network> ip_network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = ip_address::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  ip_network out;
  out.base_ = *base;
  if (slash == text.npos) return out;
  const bool v4 = text.find(':') == text.npos;
  const auto digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (wrong != std::errc{} || end != digits.data() + digits.size() || bits > (v4 ? 32u : 128u))
    return std::nullopt;
  out.bits_ = bits + (v4 ? 96 : 0);
  for (unsigned bit = out.bits_; bit < 128; ++bit) {
    if ((base->bytes[bit / 8] & (0x80 >> bit % 8)) != 0) return std::nullopt;
  }
  return out;
}

bool ip_network::holds(const ip_address& which) const { return shares(which, base_, bits_); }

}  // namespace omnicart
