#include "tests/next_build/next_format.hpp"

#include <string>

namespace omnicart::cluster::test {
namespace {

constexpr char mark = '\xc1';

std::string wrapped(const std::string& plain) { return mark + std::string(plain.rbegin(), plain.rend()); }

result<std::string> unwrapped(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != mark) return fail(base_errc::malformed, "not of the next format");
  return std::string(bytes.rbegin(), bytes.rend() - 1);
}

std::string encode_next_command(std::uint64_t request, const envelope& message, timestamp_ms now) {
  return wrapped(encode_command(request, message, now));
}
result<remote_command> decode_next_command(std::string_view bytes, timestamp_ms now) {
  const auto plain = unwrapped(bytes);
  if (!plain) return fail(plain.error());
  return decode_command(*plain, now);
}
std::string encode_next_answer(std::uint64_t request, const answer& got) { return wrapped(encode_answer(request, got)); }
result<remote_answer> decode_next_answer(std::string_view bytes) {
  const auto plain = unwrapped(bytes);
  if (!plain) return fail(plain.error());
  return decode_answer(*plain);
}

}  // namespace

envelope_format next_format(std::uint8_t version) {
  return {version, &encode_next_command, &decode_next_command, &encode_next_answer, &decode_next_answer};
}

}  // namespace omnicart::cluster::test
