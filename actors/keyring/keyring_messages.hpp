#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/entity.hpp"

// The keys that machines come with in place of a session: each a role and the scopes it is good
// for. What a machine presents is "omk_ID_SECRET"; of the secret only a digest is kept. Entity
// "keyring/shop".
namespace omnicart::keyring {

enum class errc : error_number {
  too_many_keys = 1600,
  no_such_key = 1601,  // never made, revoked, expired, or shown with another secret
  key_exists = 1602,   // with other content
  invalid_key = 1603,  // detail says which member
};
const char* to_string(errc code);

// By operators, through the engine (base_errc::forbidden). Idempotent by id and content.
struct create {
  std::string id;
  std::string digest;               // of the secret
  std::string name;                 // for people: what it is for
  role as = role::support;          // support or admin
  std::vector<std::string> scopes;  // "orders:read"
  timestamp_ms expires_at;          // 0: never
  OMNICART_FIELDS(id, digest, name, as, scopes, expires_at)
};
struct revoke {
  std::string id;
  OMNICART_FIELDS(id)
};
// Whether a machine that shows this may come in; the answer has that one key.
struct present {
  std::string id;
  std::string digest;
  OMNICART_FIELDS(id, digest)
};
struct list {
  OMNICART_FIELDS()
};

using command = std::variant<create, revoke, present, list>;

struct key_view {
  std::string id;
  std::string name;
  role as = role::support;
  std::vector<std::string> scopes;
  timestamp_ms created_at;
  timestamp_ms expires_at;  // 0: never
  friend bool operator==(const key_view&, const key_view&) = default;
  OMNICART_FIELDS(id, name, as, scopes, created_at, expires_at)
};
// To list: all; to the rest: the key asked about, or none.
struct keyring_view {
  std::vector<key_view> keys;
  OMNICART_FIELDS(keys)
};
using reply = keyring_view;

inline constexpr const char* shop_keyring = "shop";

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::keyring
