#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/email/email_messages.hpp"
#include "runtime/base/entity.hpp"

// The rules of an address claim: the first user to ask owns the address, until that user is erased.
// All functions are pure.
namespace omnicart::email {

inline constexpr std::size_t address_bytes_max =
    254;  // RFC 5321 section 4.5.3.1.3, without the brackets

// x@y: one '@' with something on both sides, at most 254 bytes of valid UTF-8, no space or control
// character of ASCII or of Unicode. Whether anybody reads mail there, only a mail can tell.
bool is_plausible_address(std::string_view address);

// ASCII letters in lower case, all other bytes as they are: what two equal addresses share.
std::string folded(std::string_view address);

struct claimed {
  std::string address;
  user_id user;
  timestamp_ms at;
  OMNICART_FIELDS(address, user, at)
};
struct released {
  OMNICART_FIELDS()
};
using event = std::variant<claimed, released>;
using events = std::vector<event>;

struct state {
  std::string address;  // as its owner wrote it
  user_id user;
  timestamp_ms claimed_at;
  friend bool operator==(const state&, const state&) = default;
  OMNICART_FIELDS(address, user, claimed_at)
};

// Refusals, in the order checked:
//   claim     malformed (no user, or no plausible address), taken (by another user)
//   look_up   unclaimed
//   release   forbidden (not from the engine)
result<events> decide(const state& s, const command& what, const context& ctx);
void apply(state& s, const event& what);
void check(const state& s);
void check_full(const state& s);

}  // namespace omnicart::email
