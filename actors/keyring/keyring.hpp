#pragma once

#include <string>
#include <variant>
#include <vector>

#include "actors/keyring/keyring_messages.hpp"

// The rules of the machines' keys. All functions are pure.
namespace omnicart::keyring {

inline constexpr std::size_t keys_max = 200;
inline constexpr std::size_t scopes_max = 40;
inline constexpr std::size_t text_bytes_max = 100;  // id, name, digest, each scope

struct held_key {
  key_view shown;
  std::string digest;
  friend bool operator==(const held_key&, const held_key&) = default;
  OMNICART_FIELDS(shown, digest)
};
struct created {
  held_key key;
  OMNICART_FIELDS(key)
};
struct revoked {
  std::string id;
  OMNICART_FIELDS(id)
};
using event = std::variant<created, revoked>;
using events = std::vector<event>;

struct state {
  std::vector<held_key> keys;  // oldest first
  friend bool operator==(const state&, const state&) = default;
  OMNICART_FIELDS(keys)
};

// Refusals, in the order checked:
//   create   forbidden (not from the engine), invalid_key, key_exists, too_many_keys
//   revoke   forbidden (not from the engine), no_such_key
//   present  no_such_key
//   list     forbidden (not from the engine)
result<events> decide(const state& s, const command& what, const context& ctx);
void apply(state& s, const event& what);
void check(const state& s);
// The answer's keys, after the command.
keyring_view view_of(const state& s, const command& what);

}  // namespace omnicart::keyring
