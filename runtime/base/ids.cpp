#include "runtime/base/ids.hpp"

#include <sodium/crypto_generichash.h>
#include <xxhash.h>

#include <array>

#include "runtime/base/limits.hpp"

namespace omnicart {

result<entity_ref> entity_ref::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos || slash == 0 || slash + 1 == text.size()) {
    return fail(base_errc::malformed, "an entity is named KIND/ID");
  }
  if (slash > limits::kind_bytes_max || text.size() - slash - 1 > limits::id_bytes_max) {
    return fail(base_errc::malformed, "entity name too long");
  }
  return entity_ref{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

command_id digest_128(std::initializer_list<std::string_view> parts) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, 16);
  for (std::string_view part : parts) {
    std::array<unsigned char, 8> length;
    for (std::size_t i = 0; i < 8; ++i) {
      length[i] = static_cast<unsigned char>(part.size() >> (8 * i));
    }
    crypto_generichash_update(&state, length.data(), length.size());
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
  }
  std::array<unsigned char, 16> digest;
  crypto_generichash_final(&state, digest.data(), digest.size());
  command_id id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.high = id.high << 8 | digest[i];
    id.low = id.low << 8 | digest[i + 8];
  }
  return id;
}

std::string to_base32(command_id id) {
  constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string text(26, '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at) {
    *at = alphabet[id.low & 31];
    id.low = id.low >> 5 | id.high << 59;
    id.high >>= 5;
  }
  return text;
}

std::uint16_t shard_of(std::string_view id, std::uint16_t shard_count) {
  return static_cast<std::uint16_t>(XXH3_64bits(id.data(), id.size()) % shard_count);
}

std::uint64_t body_hash(std::string_view body) {
  const std::uint64_t hash = XXH3_64bits(body.data(), body.size());
  return hash == 0 ? 1 : hash;
}

}  // namespace omnicart
