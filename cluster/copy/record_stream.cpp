#include "cluster/copy/record_stream.hpp"

#include <cstdint>

#include "cluster/copy/copy_frame.hpp"

namespace omnicart::cluster {
namespace {

constexpr std::size_t header_bytes = 9;

void append_u32(std::uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

}  // namespace

void append_record(persistence::family which, std::string_view key, std::string_view value,
                   std::string& out) {
  out.push_back(static_cast<char>(which));
  append_u32(static_cast<std::uint32_t>(key.size()), out);
  append_u32(static_cast<std::uint32_t>(value.size()), out);
  out.append(key).append(value);
}

status record_stream::add(std::string_view bytes, const visitor& visit) {
  rest_.append(bytes);
  std::string_view left = rest_;
  while (left.size() >= header_bytes) {
    const auto which = static_cast<std::uint8_t>(left[0]);
    const std::size_t key_bytes = u32_at(left, 1);
    const std::size_t value_bytes = u32_at(left, 5);
    if (which >= persistence::family_count || key_bytes + value_bytes > copy_record_bytes_max) {
      return fail(base_errc::malformed, "no record of a shard");
    }
    if (left.size() < header_bytes + key_bytes + value_bytes) break;
    const auto seen =
        visit(static_cast<persistence::family>(which), left.substr(header_bytes, key_bytes),
              left.substr(header_bytes + key_bytes, value_bytes));
    if (!seen) return seen;
    left.remove_prefix(header_bytes + key_bytes + value_bytes);
  }
  rest_.erase(0, rest_.size() - left.size());
  return {};
}

}  // namespace omnicart::cluster
