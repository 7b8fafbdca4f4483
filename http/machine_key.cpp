#include "http/machine_key.hpp"

#include <sodium.h>

#include <array>

namespace omnicart::http {
namespace {

constexpr std::string_view prefix = "omk_";
constexpr std::size_t key_bytes_max = 200;

}  // namespace

std::string random_secret() {
  std::array<unsigned char, 32> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::array<char, sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_URLSAFE_NO_PADDING)> text;
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), variant);
  return text.data();
}

machine_key make_machine_key(std::string id) {
  return {.id = std::move(id), .secret = random_secret()};
}

bool is_machine_key(std::string_view token) { return token.starts_with(prefix); }

std::optional<machine_key> read_machine_key(std::string_view token) {
  if (!is_machine_key(token) || token.size() > key_bytes_max) return std::nullopt;
  token.remove_prefix(prefix.size());
  const auto between = token.find('_');
  if (between == token.npos || between == 0 || between + 1 == token.size()) return std::nullopt;
  return machine_key{.id = std::string(token.substr(0, between)),
                     .secret = std::string(token.substr(between + 1))};
}

}  // namespace omnicart::http
