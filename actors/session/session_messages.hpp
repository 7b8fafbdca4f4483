#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/entity.hpp"

// What may be said to a session and what it answers. Entity "session/<session_id>". Its word is what makes an access
// token worth anything: revocation holds from the next request on.
namespace omnicart::session {

enum class errc : error_number {
  already_open = 500,      // with other content
  revoked = 501,           // logged out, disabled, or a spent refresh token was repeated
  expired = 502,
  bad_refresh_token = 503,
  no_such_session = 504,
};
const char* to_string(errc code);

// Opens a guest session (user empty) or a user's. The first cart of a guest has the session's id. Refresh tokens are
// kept as BLAKE2b-256 digests only. Idempotent. `absorb` names the guest session a login takes over: its
// cart is merged into `cart` (once) and it is revoked.
struct open {
  role as = role::guest;
  std::string user;
  cart_id cart;
  std::string refresh_digest;
  timestamp_ms expires_at;
  std::string absorb;
  std::string user_agent;
  OMNICART_FIELDS(as, user, cart, refresh_digest, expires_at, absorb, user_agent)
};
// Who is behind a token: refused when revoked or expired. Answer: session_view.
struct authorize { OMNICART_FIELDS() };
// Rotation: `digest` is the presented token's, `successor` the digest of the one to be given out. A spent token
// repeated within 30 s whose successor is unused is answered with that same successor's index; later it revokes.
struct refresh { std::string digest; std::string successor; timestamp_ms expires_at; OMNICART_FIELDS(digest, successor, expires_at) };
struct revoke { std::string reason; OMNICART_FIELDS(reason) };
// A guest registered: session and cart now belong to the user. Idempotent.
struct adopt { std::string user; OMNICART_FIELDS(user) };
struct set_cart { cart_id cart; OMNICART_FIELDS(cart) };
// Answers to its own effects.
struct cart_surrendered { std::string lines; OMNICART_FIELDS(lines) };
struct cart_merged { OMNICART_FIELDS() };
struct absorbed { OMNICART_FIELDS() };
struct registered_with_user { OMNICART_FIELDS() };
struct wake { OMNICART_FIELDS() };

using command = std::variant<open, authorize, refresh, revoke, adopt, set_cart, cart_surrendered, cart_merged,
                             absorbed, registered_with_user, wake>;

struct session_view {
  role as = role::guest;
  std::string user;
  cart_id cart;
  std::vector<std::string> absorbed;  // guest sessions that count as this caller
  timestamp_ms created_at;
  timestamp_ms expires_at;
  bool revoked = false;
  std::uint32_t refresh_index = 0;    // number of the refresh token now valid (refresh tokens are derived from it)
  OMNICART_FIELDS(as, user, cart, absorbed, created_at, expires_at, revoked, refresh_index)
};
using reply = session_view;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::session
