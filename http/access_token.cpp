#include "http/access_token.hpp"

#include <fcntl.h>
#include <jwt.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <unordered_map>

namespace omnicart::http {
namespace {

constexpr const char* issuer = "omnicart";
constexpr const char* api_audience = "omnicart-api";
constexpr const char* token_type = "access";
constexpr std::size_t token_bytes_max = 2'048;
constexpr std::size_t remembered_max = 8'192;  // verified tokens per thread; about 4 MB

using jwt_ptr = std::unique_ptr<jwt_t, decltype(&jwt_free)>;

tl::unexpected<error> bad(const char* why) { return fail(base_errc::forbidden, why); }

std::string_view grant(jwt_t* token, const char* name) {
  const char* text = jwt_get_grant(token, name);
  return text ? text : "";
}

struct descriptor {
  int fd;
  ~descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

tl::unexpected<error> file_error(const std::string& path, const char* what) {
  return fail(base_errc::io, path + ": " + what + (errno ? std::string(": ") + std::strerror(errno) : ""));
}

std::string base64url(const unsigned char* bytes, std::size_t size) {
  std::string text(sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.resize(std::strlen(text.c_str()));
  return text;
}

}  // namespace

result<token_keys> token_keys::load_or_make(const std::string& directory) {
  const std::string path = directory + "/tokens.key";
  token_keys keys;
  std::array<unsigned char, 64> bytes;
  errno = 0;
  descriptor fresh{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (fresh.fd >= 0) {
    randombytes_buf(bytes.data(), bytes.size());
    if (::write(fresh.fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || ::fsync(fresh.fd) != 0) {
      return file_error(path, "cannot be written");
    }
  } else if (errno == EEXIST) {
    errno = 0;
    descriptor kept{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat info {};
    if (kept.fd < 0 || ::fstat(kept.fd, &info) != 0) return file_error(path, "cannot be read");
    if ((info.st_mode & 077) != 0) return file_error(path, "may be read by others; set its mode to 0600");
    if (info.st_size != static_cast<off_t>(bytes.size()) ||
        ::read(kept.fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      return file_error(path, "is not a file of 64 bytes");
    }
  } else {
    return file_error(path, "cannot be made");
  }
  std::copy_n(bytes.begin(), 32, keys.access.begin());
  std::copy_n(bytes.begin() + 32, 32, keys.refresh.begin());
  return keys;
}

// Numbered over all instances, so that a thread knows whose tokens it remembers.
struct access_tokens::ring {
  token_keyring keys;
  std::uint64_t number = 0;
};

access_tokens::access_tokens() = default;
access_tokens::access_tokens(const token_keys& keys) { use({.signing = keys, .believed = {}}); }
access_tokens::~access_tokens() = default;

void access_tokens::use(token_keyring keys) {
  static std::atomic<std::uint64_t> count{0};
  const std::lock_guard lock(guard_);
  const auto same = [&](const token_keyring& now) {
    return now.signing.access == keys.signing.access && now.signing.refresh == keys.signing.refresh &&
           now.believed == keys.believed;
  };
  if (!rings_.empty() && same(rings_.back()->keys)) return;
  rings_.push_back(std::make_unique<const ring>(ring{std::move(keys), ++count}));
  ring_.store(rings_.back().get(), std::memory_order_release);
}

std::string access_tokens::issue(const access_claims& claims, std::int64_t now_s, std::string_view token_id) const {
  const ring* with = ring_.load(std::memory_order_acquire);
  jwt_t* raw = nullptr;
  if (!with || jwt_new(&raw) != 0) return {};
  const jwt_ptr token(raw, &jwt_free);
  const auto& key = with->keys.signing.access;
  jwt_set_alg(raw, JWT_ALG_HS256, key.data(), static_cast<int>(key.size()));
  jwt_add_grant(raw, "iss", issuer);
  jwt_add_grant(raw, "aud", api_audience);
  jwt_add_grant(raw, "typ", token_type);
  jwt_add_grant(raw, "sub", claims.user.c_str());
  jwt_add_grant(raw, "sid", claims.session.c_str());
  jwt_add_grant(raw, "jti", std::string(token_id).c_str());
  jwt_add_grant_int(raw, "role", static_cast<long>(claims.as));
  jwt_add_grant_int(raw, "iat", now_s);
  jwt_add_grant_int(raw, "nbf", now_s);
  jwt_add_grant_int(raw, "exp", claims.expires_at_s);
  const std::unique_ptr<char, decltype(&std::free)> text(jwt_encode_str(raw), &std::free);
  return text ? text.get() : "";
}

result<access_claims> access_tokens::verify(std::string_view token, std::int64_t now_s) const {
  // One cache per thread and ring: no lock, and a token whose key expired is not remembered as good.
  thread_local std::unordered_map<std::string, access_claims> remembered;
  thread_local std::uint64_t remembered_ring = 0;
  const ring* with = ring_.load(std::memory_order_acquire);
  if (!with) return bad("this node does not know the shop's keys yet");
  if (remembered_ring != with->number) {
    remembered.clear();
    remembered_ring = with->number;
  }
  if (token.size() > token_bytes_max) return bad("token too long");
  const std::string text(token);
  if (const auto at = remembered.find(text); at != remembered.end()) {
    if (now_s < at->second.expires_at_s) return at->second;
    remembered.erase(at);
    return bad("token has expired");
  }
  auto claims = verify_signature(*with, token, now_s);
  if (!claims) return claims;
  if (remembered.size() >= remembered_max) remembered.clear();
  remembered.emplace(text, *claims);
  return claims;
}

result<access_claims> access_tokens::verify_signature(const ring& with, std::string_view token,
                                                      std::int64_t now_s) const {
  if (token.find('\0') != token.npos) return bad("token is malformed");
  const std::string text(token);
  jwt_t* raw = nullptr;
  const auto signed_with = [&](const std::array<unsigned char, 32>& key) {
    return jwt_decode(&raw, text.c_str(), key.data(), static_cast<int>(key.size())) == 0;
  };
  const auto& older = with.keys.believed;
  if (!signed_with(with.keys.signing.access) && std::none_of(older.begin(), older.end(), signed_with)) {
    return bad("token is malformed or not signed by this shop");
  }
  const jwt_ptr decoded(raw, &jwt_free);
  if (jwt_get_alg(raw) != JWT_ALG_HS256) return bad("token uses another algorithm");
  if (grant(raw, "iss") != issuer || grant(raw, "aud") != api_audience || grant(raw, "typ") != token_type) {
    return bad("token was made for another purpose");
  }
  access_claims claims;
  claims.token = grant(raw, "jti");
  if (claims.token.empty()) return bad("token has no id");
  claims.expires_at_s = jwt_get_grant_int(raw, "exp");
  if (claims.expires_at_s <= now_s) return bad("token has expired");
  // Nodes' clocks may differ by a little.
  if (jwt_get_grant_int(raw, "nbf") > now_s + 5) return bad("token is not valid yet");
  const long number = jwt_get_grant_int(raw, "role");
  if (number < 0 || number > static_cast<long>(role::admin)) return bad("token names no role");
  claims.as = static_cast<role>(number);
  claims.session = grant(raw, "sid");
  claims.user = grant(raw, "sub");
  return claims;
}

std::string access_tokens::refresh_mac(const ring& with, std::string_view session, std::uint32_t index) const {
  const std::string text = std::string(session) + '\n' + std::to_string(index);
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac;
  crypto_auth_hmacsha256(mac.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                         with.keys.signing.refresh.data());
  return base64url(mac.data(), mac.size());
}

std::string access_tokens::refresh_token(std::string_view session, std::uint32_t index) const {
  const ring* with = ring_.load(std::memory_order_acquire);
  if (!with) return {};
  return std::string(session) + '.' + std::to_string(index) + '.' + refresh_mac(*with, session, index);
}

result<access_tokens::refresh_claims> access_tokens::verify_refresh(std::string_view token) const {
  const auto last = token.rfind('.');
  const auto first = last == token.npos || last == 0 ? token.npos : token.rfind('.', last - 1);
  if (token.size() > token_bytes_max || first == token.npos) return bad("refresh token is malformed");
  refresh_claims claims{.session = std::string(token.substr(0, first)), .index = 0};
  const std::string_view number = token.substr(first + 1, last - first - 1);
  const auto read = std::from_chars(number.data(), number.data() + number.size(), claims.index);
  const bool canonical = number == std::to_string(claims.index);
  if (read.ec != std::errc{} || read.ptr != number.data() + number.size() || !canonical) {
    return bad("refresh token is malformed");
  }
  const ring* with = ring_.load(std::memory_order_acquire);
  if (!with) return bad("this node does not know the shop's keys yet");
  if (!equal_in_constant_time(token.substr(last + 1), refresh_mac(*with, claims.session, claims.index))) {
    return bad("refresh token was not made by this shop");
  }
  return claims;
}

std::string refresh_digest(std::string_view token) {
  std::array<unsigned char, 32> digest;
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(token.data()), token.size(),
                     nullptr, 0);
  std::string text(digest.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  text.pop_back();
  return text;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace omnicart::http
