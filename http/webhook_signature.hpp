#pragma once

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/hex.hpp"

// How a webhook is signed: "t=SECONDS,v1=HEX", where HEX is HMAC-SHA-256 (RFC 2104) over "SECONDS.BODY" with a secret
// that provider and shop share. The time is under the signature, so that what was overheard is not good for ever.
// Header only; include it in sources alone.
namespace omnicart::http {

inline constexpr const char* webhook_signature_header = "Omnicart-Signature";
inline constexpr std::int64_t webhook_age_max_s = 300;  // also into the future
inline constexpr std::size_t webhook_secret_bytes_min = 32;

inline std::string webhook_mac(std::string_view secret, std::int64_t at_s, std::string_view body) {
  const std::string text = std::to_string(at_s) + '.' + std::string(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return to_hex({reinterpret_cast<const char*>(mac.data()), size});
}

inline std::string sign_webhook(std::string_view secret, std::int64_t at_s, std::string_view body) {
  return "t=" + std::to_string(at_s) + ",v1=" + webhook_mac(secret, at_s, body);
}

enum class webhook_verdict { good, malformed, stale, forged };

inline webhook_verdict check_webhook(std::string_view secret, std::string_view header, std::string_view body,
                                     std::int64_t now_s) {
  const auto comma = header.find(',');
  if (!header.starts_with("t=") || comma == header.npos || header.substr(comma + 1, 3) != "v1=")
    return webhook_verdict::malformed;
  const std::string_view time = header.substr(2, comma - 2), sent = header.substr(comma + 4);
  std::int64_t at_s = 0;
  const auto [end, wrong] = std::from_chars(time.data(), time.data() + time.size(), at_s);
  if (wrong != std::errc{} || end != time.data() + time.size()) return webhook_verdict::malformed;
  const std::string mac = webhook_mac(secret, at_s, body);
  const bool same = sent.size() == mac.size() && CRYPTO_memcmp(sent.data(), mac.data(), mac.size()) == 0;
  if (!same) return webhook_verdict::forged;
  const std::int64_t latest = now_s + webhook_age_max_s, earliest = now_s - webhook_age_max_s;
  return at_s >= earliest && at_s <= latest ? webhook_verdict::good : webhook_verdict::stale;
}

}  // namespace omnicart::http
