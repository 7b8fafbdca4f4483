#include "http/list_place.hpp"

#include "runtime/base/hex.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t time_bytes = 8;
constexpr std::size_t cursor_chars_max = 400;

}  // namespace

std::string newest_first(timestamp_ms time) {
  auto number = ~static_cast<std::uint64_t>(time.time_since_epoch().count());
  std::string bytes(time_bytes, '\0');
  for (auto at = bytes.rbegin(); at != bytes.rend(); ++at, number >>= 8) *at = static_cast<char>(number & 0xFF);
  return bytes;
}

std::string place_of(timestamp_ms time, std::string_view id) { return newest_first(time).append(id); }

std::string_view id_at(std::string_view place) { return place.substr(time_bytes); }

std::string end_of_prefix(std::string prefix) {
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

std::string to_cursor(std::string_view place) { return to_hex(place); }

std::optional<std::string> place_of_cursor(std::string_view text) {
  if (text.size() <= 2 * time_bytes || text.size() > cursor_chars_max) return std::nullopt;
  return from_hex(text);
}

}  // namespace omnicart::http
