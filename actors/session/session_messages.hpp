#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/entity.hpp"

namespace omnicart::cart {
struct left_behind;
}

// What may be said to a session and what it answers. Entity "session/<session_id>". Its word is what makes an access
// token worth anything: revocation holds from the next request on.
namespace omnicart::session {

enum class errc : error_number {
  already_open = 500,      // with other content
  revoked = 501,           // logged out, disabled, or a spent refresh token was repeated
  expired = 502,
  bad_refresh_token = 503,
  no_such_session = 504,
  hold_limit = 505,        // 10 holds already; data: encode_holds of those that may have ended unnoticed
  taken_over = 506,        // it is a guest's no more; data: the user's id
};
const char* to_string(errc code);

// Opens a guest session (user empty) or a user's. The first cart of a guest has the session's id. Refresh tokens are
// kept as BLAKE2b-256 digests only. Idempotent by content, of which expires_at, user_agent and credentials are no part:
// a retried login has read the clock again. A user's session tells its user of itself; answers to patient callers wait
// for that too (session_view::untold), so that who holds its tokens holds a session that the user can end. `absorb` names the guest session a login takes over: its cart is merged into `cart`
// (once) and it is revoked; the answer to a patient open waits for that, and says what the cart could not take over. Whoever sends this has checked that the
// caller holds that guest session. Refused as malformed: no `id`, no or too long a digest, a user without role or cart
// or the reverse, absorb by a guest or of itself.
struct open {
  role as = role::guest;
  std::string user;
  cart_id cart;
  std::string refresh_digest;
  timestamp_ms expires_at;
  std::string absorb;
  std::string user_agent;  // cut at 256 bytes
  session_id id;           // the session's own: it names itself to its user and its owner
  cart_id absorb_cart;     // the absorbed guest's cart; empty: the one with that session's id; `cart` itself stays
  std::uint32_t credentials = 0;  // user_view::credentials when the password was shown
  OMNICART_FIELDS(as, user, cart, refresh_digest, expires_at, absorb, user_agent, id, absorb_cart, credentials)
};
// Who is behind a token: refused when revoked or expired. Answer: session_view.
struct authorize { OMNICART_FIELDS() };
// Rotation: `digest` is the presented token's, `successor` the digest of the one to be given out; expiry never moves
// back. The answer's refresh_index numbers the token to give out. The token spent last, repeated within 30 s while its
// successor is unused (nobody refreshed with it), is answered with that same successor's index and changes nothing.
// Any other spent token revokes the session: that succeeds, with `revoked` true in the answer, because a refusal
// records nothing. CALLERS MUST LOOK AT session_view::revoked. `index` is the presented token's own number, given
// when the sender has checked that the token is genuine (derived it again): without it only the last spent token is
// known as such, and older ones are refused as bad_refresh_token.
struct refresh {
  std::string digest;
  std::string successor;
  timestamp_ms expires_at;
  std::optional<std::uint32_t> index;
  OMNICART_FIELDS(digest, successor, expires_at, index)
};
// By the owner or staff (no_such_session for others). Idempotent.
struct revoke { std::string reason; OMNICART_FIELDS(reason) };
// A guest registered: session and cart now belong to the user. From the user only. Idempotent; already_open when it
// belongs to another user.
struct adopt { std::string user; OMNICART_FIELDS(user) };
struct set_cart { cart_id cart; OMNICART_FIELDS(cart) };  // by the owner or staff
// Answers to its own effects.
struct cart_surrendered { std::string lines; std::string wishes = {}; OMNICART_FIELDS(lines, wishes) };
struct cart_merged { std::string left = {}; OMNICART_FIELDS(left) };
struct absorbed { OMNICART_FIELDS() };
struct registered_with_user {
  bool disabled = false;  // the user was disabled meanwhile: the session ends
  bool stale = false;     // the password was changed meanwhile: the session ends
  OMNICART_FIELDS(disabled, stale)
};
struct wake { OMNICART_FIELDS() };  // expiry, and some days after its end the session is forgotten
// Answers to its own effects. `keyless`: nothing was sealed with a key of that guest's, and nothing will be.
struct guest_revoked { bool keyless = false; OMNICART_FIELDS(keyless) };
struct cart_opened { OMNICART_FIELDS() };

// The session's word that it may hold stock: at most 10 holds over all products. It counts a hold from before the stock
// is asked until `until` (session_view::hold_until), which is `ttl` and limits::session_hold_window from now; the stock
// makes no hold that would outlast it. Named again, a hold is counted for longer; with `known_only` only if it is counted.
// So it never counts too few; of those that ended early it hears by drop_holds. By the session itself.
struct hold {
  reservation_id reservation;
  duration_ms ttl{0};
  bool known_only = false;
  OMNICART_FIELDS(reservation, ttl, known_only)
};
struct counted_hold {
  reservation_id reservation;
  timestamp_ms at;     // when it was counted last
  timestamp_ms until;
  friend bool operator==(const counted_hold&, const counted_hold&) = default;
  OMNICART_FIELDS(reservation, at, until)
};
// These ended or were never made. With `at`, only one that was not counted anew since.
struct drop_holds {
  std::vector<counted_hold> holds;
  OMNICART_FIELDS(holds)
};

// The key that the personal data in this guest's orders is encrypted with; the first one given stays, also when the
// session has ended. By the engine. Answer: session_view::person_key.
struct keep_person_key { std::string key; OMNICART_FIELDS(key) };
struct read_person_key { OMNICART_FIELDS() };  // a question, also to a session that has ended or was forgotten
// The user who took this guest over was erased, or this guest is: the session ends, and nothing is left of it. By the
// engine. With `guest_only` refused as taken_over for a session that a registration has made a user's.
struct forget { bool guest_only = false; OMNICART_FIELDS(guest_only) };
// Answers to its own effects: the user whom the login was of is no more, and the guest it absorbed was forgotten.
struct user_gone { OMNICART_FIELDS() };
struct guest_forgotten { OMNICART_FIELDS() };

using command = std::variant<open, authorize, refresh, revoke, adopt, set_cart, cart_surrendered, cart_merged,
                             absorbed, registered_with_user, wake, guest_revoked,
                             cart_opened, hold, drop_holds, keep_person_key, read_person_key,
                             forget, user_gone, guest_forgotten>;

struct session_view {
  role as = role::guest;
  std::string user;
  cart_id cart;
  std::vector<std::string> absorbed;  // guest sessions that count as this caller: the one a login took over, or
                                      // this session itself when it was a guest before its user registered
  timestamp_ms created_at;
  timestamp_ms expires_at;
  bool revoked = false;
  std::uint32_t refresh_index = 0;    // number of the refresh token now valid (refresh tokens are derived from it)
  bool untold = false;                // its user does not know of it yet
  std::optional<timestamp_ms> hold_until = {};  // of the hold that the command named
  std::string person_key = {};        // answer to keep and read only; stays within the engine
  bool keyless = false;               // it has no key, and no order that was placed without one; false: it may have
  std::string left = {};              // of the absorbed guest's cart, what `cart` could not take over (decode_left); until the first refresh
  bool merging = false;               // that cart is still on its way
  OMNICART_FIELDS(as, user, cart, absorbed, created_at, expires_at, revoked, refresh_index, untold, hold_until,
                  person_key, keyless, left, merging)
};
using reply = session_view;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);
std::string encode_holds(const std::vector<counted_hold>& holds);
std::vector<counted_hold> decode_holds(std::string_view bytes);  // none for bytes that are not that
result<cart::left_behind> decode_left(std::string_view bytes);   // of session_view; none for empty text

}  // namespace omnicart::session
