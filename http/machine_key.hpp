#pragma once

#include <optional>
#include <string>
#include <string_view>

// What a machine presents in place of a session's token: "omk_ID_SECRET", an id of the keyring and
// 32 random bytes as base64url.
namespace omnicart::http {

struct machine_key {
  std::string id;
  std::string secret;

  std::string text() const { return "omk_" + id + '_' + secret; }
};

// A key with this id and a fresh secret.
machine_key make_machine_key(std::string id);
bool is_machine_key(std::string_view token);
// Nothing: it cannot be one.
std::optional<machine_key> read_machine_key(std::string_view token);

// 32 random bytes as base64url (43 characters), for whatever only its holder is to know.
std::string random_secret();

}  // namespace omnicart::http
