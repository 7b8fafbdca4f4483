#include <sodium.h>

#include <string>
#include <string_view>

#include "http/access_token.hpp"
#include "tests/fuzz/bodies.hpp"

namespace omnicart::fuzz {
namespace {

constexpr std::int64_t now_s = 1'800'000'000;

// Known to all, so that seeds may be signed with it: bytes 0, 1, … and 32, 33, ….
http::token_keys known_keys() {
  http::token_keys keys;
  for (std::size_t i = 0; i < keys.access.size(); ++i) {
    keys.access[i] = static_cast<unsigned char>(i);
    keys.refresh[i] = static_cast<unsigned char>(i + 32);
  }
  return keys;
}

std::string base64url(std::string_view bytes) {
  constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), variant);
  text.pop_back();  // the terminating zero
  return text;
}

// HEADER '\n' PAYLOAD as a token with a good signature: what an attacker could not send, but a
// wrong claim of another service with our key, or of an older build, could look like.
std::string signed_token(std::string_view text, const http::token_keys& keys) {
  const auto line = text.find('\n');
  if (line == text.npos) return {};
  const std::string token =
      base64url(text.substr(0, line)) + '.' + base64url(text.substr(line + 1));
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256(mac, reinterpret_cast<const unsigned char*>(token.data()), token.size(),
                         keys.access.data());
  return token + '.' + base64url({reinterpret_cast<const char*>(mac), sizeof mac});
}

void check_access(const http::access_tokens& tokens, std::string_view text) {
  const auto claims = tokens.verify(text, now_s);
  if (!claims) {
    require(claims.error().is(base_errc::forbidden), "a bad token is forbidden");
    return;
  }
  require(claims->expires_at_s > now_s, "no expired token is taken");
  require(claims->as >= role{} && claims->as <= role::admin, "the role is one there is");
  const auto again = tokens.verify(text, now_s);
  require(again && *again == *claims, "a remembered token says what it said");
  require(!tokens.verify(text, claims->expires_at_s), "a remembered token expires");
}

void check_refresh(const http::access_tokens& tokens, std::string_view text) {
  const auto claims = tokens.verify_refresh(text);
  if (!claims) {
    require(claims.error().is(base_errc::forbidden), "a bad refresh token is forbidden");
    return;
  }
  require(tokens.refresh_token(claims->session, claims->index) == text,
          "a refresh token has one spelling");
}

}  // namespace

void fuzz_tokens(const std::uint8_t* data, std::size_t size) {
  static const http::token_keys keys = known_keys();
  static const http::access_tokens tokens(keys);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_access(tokens, text);
  check_refresh(tokens, text);
  if (const auto token = signed_token(text, keys); !token.empty()) check_access(tokens, token);
}

}  // namespace omnicart::fuzz
