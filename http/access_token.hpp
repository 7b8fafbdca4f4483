#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/entity.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::http {

// The node's secrets, 32 random bytes each. A file of them: 0600, made at the first start.
struct token_keys {
  std::array<unsigned char, 32> access{};
  std::array<unsigned char, 32> refresh{};

  // Reads DIRECTORY/tokens.key, or makes it. Errors: io, naming the file and why (also for a file that others may
  // read, or of another size).
  static result<token_keys> load_or_make(const std::string& directory);
};

// The keys of a shop whose nodes all know them: the newest in force signs, those before it are still believed until
// they expire. Of refresh keys only the signing one's is believed. It stays the same through them, since a session
// remembers its refresh token anyway and a repeated answer must give the same one again; only when older keys are
// distrusted it is another one.
struct token_keyring {
  token_keys signing;
  std::vector<std::array<unsigned char, 32>> believed;  // other access keys, newest first
};

// What an access token says. Trusted only together with the session actor's word (it may have been revoked).
struct access_claims {
  std::string session;  // empty for machine tokens made by an operator
  std::string user;
  role as = role::guest;
  std::int64_t expires_at_s = 0;  // seconds since 1970
  std::string token{};  // its own id, once verified; issue() is told one

  friend bool operator==(const access_claims&, const access_claims&) = default;
};

// JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256; the algorithm is ours to choose, never the token's.
// Claims: iss "omnicart", aud "omnicart-api", typ "access", sub, sid, role, iat, nbf, exp, jti. Thread-safe.
class access_tokens {
 public:
  // Without keys: nothing is issued and nobody believed before use() brings some.
  access_tokens();
  explicit access_tokens(const token_keys& keys);
  ~access_tokens();

  // From now on. The same ring again changes nothing.
  void use(token_keyring ring);
  bool has_keys() const { return ring_.load(std::memory_order_acquire) != nullptr; }

  std::string issue(const access_claims& claims, std::int64_t now_s, std::string_view token_id) const;

  // Refusal: session's expired code is not used here; every fault of a token is base_errc::forbidden with the
  // reason in detail (for logs, not for the client). Verified tokens are remembered per thread until they expire.
  result<access_claims> verify(std::string_view token, std::int64_t now_s) const;

  // The refresh token number `index` of a session: base64url(HMAC-SHA-256(key, session '\n' index)), with both in
  // the clear before it: "session.index.mac".
  std::string refresh_token(std::string_view session, std::uint32_t index) const;
  struct refresh_claims {
    std::string session;
    std::uint32_t index = 0;
  };
  // Refusal: base_errc::forbidden.
  result<refresh_claims> verify_refresh(std::string_view token) const;

 private:
  struct ring;
  result<access_claims> verify_signature(const ring& with, std::string_view token, std::int64_t now_s) const;
  std::string refresh_mac(const ring& with, std::string_view session, std::uint32_t index) const;

  std::atomic<const ring*> ring_{nullptr};
  std::mutex guard_;
  std::vector<std::unique_ptr<const ring>> rings_;  // all there were: few, and somebody may still read one
};

// BLAKE2b-256 of a refresh token in hexadecimal: what a session keeps of it.
std::string refresh_digest(std::string_view token);

// Compares without telling by its time where texts differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace omnicart::http
