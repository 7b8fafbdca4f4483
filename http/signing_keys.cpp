#include "http/signing_keys.hpp"

#include <algorithm>
#include <utility>

namespace omnicart::http {
namespace {

constexpr std::size_t half = cluster_record::key_secret_bytes / 2;

std::array<unsigned char, half> part_of(const std::string& secret, std::size_t from) {
  std::array<unsigned char, half> part{};
  std::copy_n(secret.begin() + static_cast<std::ptrdiff_t>(from), half, part.begin());
  return part;
}

std::string draw_half(id_source& random) {
  const auto one = random.next(), other = random.next();
  std::string bytes;
  for (const auto word : {one.high, one.low, other.high, other.low}) {
    for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(word >> shift & 255);
  }
  return bytes;
}

}  // namespace

std::optional<token_keyring> keyring_at(const cluster_record::record& r, timestamp_ms now) {
  const auto* signing = cluster_record::key_to_sign(r, now);
  if (!signing) signing = r.keys.empty() ? nullptr : &r.keys.back();
  if (!signing) return std::nullopt;
  token_keyring ring;
  ring.signing = {.access = part_of(signing->secret, 0), .refresh = part_of(signing->secret, half)};
  for (auto key = r.keys.rbegin(); key != r.keys.rend(); ++key) {
    if (key->number != signing->number && key->expires_at > now)
      ring.believed.push_back(part_of(key->secret, 0));
  }
  return ring;
}

cluster_record::signing_key next_key(const cluster_record::record& r, const token_keys& first,
                                     id_source& random, timestamp_ms now, refresh_half refresh) {
  const std::string before = r.keys.empty() ? secret_of(first) : r.keys.back().secret;
  std::string secret = draw_half(random);
  secret += refresh == refresh_half::kept ? before.substr(half) : draw_half(random);
  const auto from = now + key_is_known_after;
  return {.number = r.keys.empty() ? 1 : r.keys.back().number + 1,
          .secret = std::move(secret),
          .active_from = from,
          .expires_at = from + key_signs_for * 2};
}

std::string secret_of(const token_keys& keys) {
  std::string secret(keys.access.begin(), keys.access.end());
  secret.append(keys.refresh.begin(), keys.refresh.end());
  return secret;
}

}  // namespace omnicart::http
