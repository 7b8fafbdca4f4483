#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/cart/cart_messages.hpp"
#include "actors/session/session_messages.hpp"
#include "runtime/base/entity.hpp"

// The rules of a session: who is behind a token, rotation of refresh tokens (RFC 9700
// section 4.14.2), and the login saga that takes a guest's cart over. All functions are pure.
namespace omnicart::session {

inline constexpr duration_ms repeat_window{
    30'000};  // a spent refresh token may be repeated this long
// An ended session is remembered longer than any token of it could be shown in good faith.
inline constexpr duration_ms forget_after = std::chrono::hours{7 * 24};
inline constexpr std::size_t digest_bytes_max = 64;
inline constexpr std::size_t user_agent_bytes_max = 256;
inline constexpr std::size_t reason_bytes_max = 256;
inline constexpr std::size_t person_key_bytes = 64;  // 32 bytes in hexadecimal

struct opened {
  session_id id;
  role as = role::guest;
  std::string user;
  cart_id cart;
  std::string refresh_digest;
  timestamp_ms expires_at;
  std::string absorb;
  cart_id absorb_cart;
  std::string user_agent;
  timestamp_ms at;
  command_id content;  // digest of what a repeated open must equal
  std::uint32_t credentials = 0;
  bool orders_keyed = false;  // by a build in which no guest orders without a key
  OMNICART_FIELDS(id, as, user, cart, refresh_digest, expires_at, absorb, absorb_cart, user_agent,
                  at, content, credentials, orders_keyed)
};
struct refreshed {
  std::string refresh_digest;
  timestamp_ms expires_at;
  timestamp_ms at;
  OMNICART_FIELDS(refresh_digest, expires_at, at)
};
struct session_revoked {
  std::string reason;
  timestamp_ms at;
  OMNICART_FIELDS(reason, at)
};
struct session_expired {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};
struct forgotten {
  OMNICART_FIELDS()
};
struct adopted {
  std::string user;
  OMNICART_FIELDS(user)
};
struct cart_set {
  cart_id cart;
  OMNICART_FIELDS(cart)
};
// Of the login saga, in this order; with empty `lines` nothing is opened or merged.
struct guest_cart_surrendered {
  std::string lines;
  std::string wishes = {};
  OMNICART_FIELDS(lines, wishes)
};
struct user_cart_opened {
  OMNICART_FIELDS()
};
struct guest_cart_merged {
  std::string left = {};
  OMNICART_FIELDS(left)
};
struct guest_session_revoked {
  bool keyless = false;
  OMNICART_FIELDS(keyless)
};
struct guest_absorbed {
  OMNICART_FIELDS()
};
struct user_told {
  OMNICART_FIELDS()
};
struct hold_counted {
  counted_hold what;
  OMNICART_FIELDS(what)
};
struct holds_dropped {
  std::vector<reservation_id> reservations;
  OMNICART_FIELDS(reservations)
};

struct person_key_kept {
  std::string key;
  OMNICART_FIELDS(key)
};
// In place of forgotten, for a session with a key: orders can be read with it as long as nobody
// has it destroyed.
struct reduced {
  OMNICART_FIELDS()
};
// The login's user was erased before it heard of the guest: nobody else will have the guest's key
// destroyed.
struct guest_orphaned {
  OMNICART_FIELDS()
};

using event =
    std::variant<opened, refreshed, session_revoked, session_expired, forgotten, adopted, cart_set,
                 guest_cart_surrendered, user_cart_opened, guest_cart_merged, guest_session_revoked,
                 guest_absorbed, user_told, hold_counted, holds_dropped, person_key_kept, reduced,
                 guest_orphaned>;
using events = std::vector<event>;

enum class session_status : std::uint8_t { unopened = 0, open = 1, revoked = 2, expired = 3 };
const char* to_string(session_status status);

// What the login saga owes next.
enum class absorb_step : std::uint8_t {
  none = 0,
  surrender = 1,
  open_cart = 2,
  merge = 3,
  revoke_guest = 4,
  tell_user = 5,
  done = 6,
  forget_guest = 7  // in place of done, when there is no such user any more
};
const char* to_string(absorb_step step);

struct state {
  session_status status{};
  role as = role::guest;
  absorb_step absorbing{};
  bool was_guest = false;  // opened as a guest and adopted since
  bool owes_user = false;  // the user has not been told of this session yet
  std::uint32_t refresh_index = 0;
  session_id id;
  std::string user;
  cart_id cart;
  std::string refresh_digest;  // of the token that is valid now
  std::string spent_digest;    // of the one before; empty before the first rotation
  timestamp_ms spent_at;
  timestamp_ms created_at;
  timestamp_ms expires_at;
  timestamp_ms ended_at;
  std::string absorb;  // the guest session taken over at login
  cart_id absorb_cart;
  cart_id merge_into;  // the cart at login: a set_cart meanwhile must not lead the lines astray
  std::string lines;   // surrendered and not merged yet (encode_lines)
  std::string user_agent;
  std::string end_reason;
  command_id content;
  std::uint32_t credentials = 0;    // of the user when the password was shown
  std::vector<counted_hold> holds;  // oldest first; some may have ended since
  std::string person_key;
  bool reduced = false;  // kept for its key alone
  bool orders_keyed = false;
  bool absorb_keyless = false;  // what the guest session said when it was revoked
  std::string wishes;           // as lines (encode_wishes)
  std::string left;             // by the merge (encode_left), to tell who logged in; until the first refresh
  friend bool operator==(const state&, const state&) = default;
  OMNICART_FIELDS(status, as, absorbing, was_guest, owes_user, refresh_index, id, user, cart,
                  refresh_digest, spent_digest, spent_at, created_at, expires_at, ended_at, absorb,
                  absorb_cart, merge_into, lines, user_agent, end_reason, content, credentials,
                  holds, person_key, reduced, orders_keyed, absorb_keyless, wishes, left)
};

// Refusals, in the order checked:
//   open           malformed (see open); already_open with other content
//   authorize      no_such_session, revoked, expired
//   refresh        no_such_session, revoked, expired, malformed (successor), bad_refresh_token
//   revoke         no_such_session (or not the asker's)
//   adopt          no_such_session, forbidden (not from an entity), malformed (no user), revoked,
//   expired,
//                  already_open (another user's)
//   set_cart       no_such_session (or not the asker's), revoked, expired, malformed (no cart)
//   hold           no_such_session (or not the asker's), revoked, expired, malformed (no
//                  reservation, one too long, a ttl outside 1 s .. 30 min), hold_limit
//   drop_holds     no_such_session (or not the asker's)
//   keep_person_key  forbidden (not from the engine), no_such_session, revoked, expired, malformed
//   read_person_key  forbidden (not from the engine)
//   forget           forbidden (not from the engine), taken_over
// Answers to effects that were answered before, and a wake that is not due, change nothing.
result<events> decide(const state& s, const command& what, const context& ctx);
void apply(state& s, const event& what);
void check(const state& s);
void check_full(const state& s);
session_view view_of(const state& s);
const counted_hold* find_hold(const state& s, const reservation_id& reservation);

// The login saga is one effect at a time, in the order of absorb_step; "user" stands beside it.
std::vector<effect> pending(const state& s, std::size_t limit);
// Nothing while the guest's or the user's cart is sealed by a checkout (it will end), and for an
// answer that says the command was too late. Other refusals skip the step: the guest's cart was
// never opened or is closed.
std::optional<command> settle(const state& s, std::string_view effect_key, const answer& got);
std::optional<timestamp_ms> wake_at(const state& s);
bool absorbing_guest(const state& s);

// Surrendered lines and wishes on their way to the merge, and what it left behind; empty text for none, but for
// lines that wishes go with: builds that know of no wishes merge what has lines.
// (session_codec.cpp)
std::string encode_lines(const std::vector<cart::new_line>& lines);
result<std::vector<cart::new_line>> decode_lines(std::string_view bytes);
std::string encode_wishes(const cart::wishes& with);
result<cart::wishes> decode_wishes(std::string_view bytes);
std::string encode_left(const cart::left_behind& left);

}  // namespace omnicart::session
