#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/user/user_messages.hpp"
#include "runtime/base/entity.hpp"

// The rules of a user: registration as a saga (claim the address, then take a guest's session and
// cart along), profile, credentials, and the sessions that die with a disabled account. All
// functions are pure.
namespace omnicart::user {

inline constexpr std::size_t name_bytes_max = 200;
inline constexpr std::size_t phone_bytes_max = 40;
inline constexpr std::size_t address_field_bytes_max = 200;
inline constexpr std::size_t addresses_max = 20;
inline constexpr std::size_t notifications_max = 50;
inline constexpr std::size_t notification_name_bytes_max = 64;
inline constexpr std::size_t hash_bytes_max = 256;  // libsodium's crypto_pwhash_STRBYTES is 128
inline constexpr std::size_t email_bytes_max = 254;
inline constexpr std::size_t digest_bytes_max = 128;  // of a ticket, in text
inline constexpr std::size_t person_key_bytes = 64;   // 32 bytes in hexadecimal
inline constexpr std::size_t sessions_max = 50;
inline constexpr std::size_t absorbed_max = 100;       // in the newer list
inline constexpr std::size_t keyed_guests_max = 1'000;  // in both; beyond, they are refused
inline constexpr std::size_t revocations_max =
    200;  // owed at once; beyond, sessions wait to be noted

struct registered {
  user_id id;
  std::string email;
  std::string password_hash;
  std::string name;
  role as = role::shopper;
  std::string guest_session;
  cart_id cart;
  timestamp_ms at;
  command_id content;  // digest of what a repeated registration must equal
  OMNICART_FIELDS(id, email, password_hash, name, as, guest_session, cart, at, content)
};
struct address_claimed {
  OMNICART_FIELDS()
};
struct address_refused {
  OMNICART_FIELDS()
};
struct guest_step_done {
  std::uint32_t step = 0;
  bool lost = false;
  bool joined = false;
  OMNICART_FIELDS(step, lost, joined)
};
struct profile_updated {
  profile to;
  OMNICART_FIELDS(to)
};
struct password_changed {
  std::string password_hash;
  bool ends_others = false;  // not in events of the first builds
  std::string kept;          // the session that stays; empty: none
  OMNICART_FIELDS(password_hash, ends_others, kept)
};
struct disabled_set {
  bool disabled = false;
  OMNICART_FIELDS(disabled)
};
struct guest_absorbed {
  std::string session;
  bool keyless = false;  // false: it has a key, or nobody knows
  OMNICART_FIELDS(session, keyless)
};
struct session_noted {
  std::string session;
  OMNICART_FIELDS(session)
};
struct session_dropped {
  std::string session;
  OMNICART_FIELDS(session)
};

struct ticket {
  ticket_purpose purpose{};
  std::string digest;
  timestamp_ms expires_at;
  friend bool operator==(const ticket&, const ticket&) = default;
  OMNICART_FIELDS(purpose, digest, expires_at)
};
struct ticket_issued {
  ticket what;
  OMNICART_FIELDS(what)
};
// The mail was read. With a reset, password_changed follows.
struct ticket_redeemed {
  ticket_purpose purpose{};
  OMNICART_FIELDS(purpose)
};
struct person_key_kept {
  std::string key;
  OMNICART_FIELDS(key)
};
struct erasure_begun {
  OMNICART_FIELDS()
};
struct address_released {
  OMNICART_FIELDS()
};
struct guest_dropped {
  std::string session;
  OMNICART_FIELDS(session)
};
struct cart_dropped {
  OMNICART_FIELDS()
};

using event =
    std::variant<registered, address_claimed, address_refused, guest_step_done, profile_updated,
                 password_changed, disabled_set, guest_absorbed, session_noted, session_dropped,
                 ticket_issued, ticket_redeemed, person_key_kept, erasure_begun, address_released,
                 guest_dropped, cart_dropped>;
using events = std::vector<event>;

// Bits of state::guest_steps, and guest_adopted::step.
inline constexpr std::uint32_t session_step = 1;
inline constexpr std::uint32_t cart_step = 2;

struct state {
  user_status status{};
  role as = role::shopper;
  std::uint32_t guest_steps = 0;  // still owed, once active
  user_id id;
  std::string email;
  std::string password_hash;
  profile details;
  cart_id cart;
  std::string guest_session;  // taken along at registration
  timestamp_ms created_at;
  std::vector<std::string> absorbed;     // oldest first; once erasing, those that are to be forgotten,
                                         // and so are `older`
  std::vector<std::string> sessions;     // oldest first
  std::vector<std::string> revocations;  // sessions owed a revoke, oldest first
  command_id content;
  std::uint32_t credentials = 0;  // counts password changes
  std::vector<ticket> tickets;    // at most one of each purpose
  std::string person_key;
  bool email_confirmed = false;
  std::vector<std::string> keyless;  // of `absorbed`, those without a key; oldest first
  std::vector<std::string> older;    // absorbed before them, each with a key perhaps; oldest first
  friend bool operator==(const state&, const state&) = default;
  OMNICART_FIELDS(status, as, guest_steps, id, email, password_hash, details, cart, guest_session,
                  created_at, absorbed, sessions, revocations, content, credentials, tickets,
                  person_key, email_confirmed, keyless, older)
};

// Refusals, in the order checked ("known": no_such_user unless active or disabled; "own": and for
// others):
//   register_user     malformed (see fields), forbidden (role above the asker's), invalid_profile
//   (name),
//                     conflict (registered with other content)
//   get               known and own
//   credentials       known; anyone within the engine
//   update_profile    known and own, disabled (the owner; staff may), invalid_profile
//   change_password   known and own, disabled (the owner; staff may), malformed (hash)
//   set_disabled      forbidden (not staff), known
//   absorb_guest      forbidden (not from an entity), malformed, known, too_many_guests
//   session_opened    forbidden (not from an entity), malformed, known, disabled,
//   password_changed, overloaded (a
//                     fault: too many revocations owed)
//   issue_ticket      forbidden (not from the engine), malformed (digest), known, disabled
//   redeem_ticket     known, disabled, invalid_ticket, malformed (hash)
//   keep_person_key   forbidden (not from the engine), malformed, known
//   erase             known (or erasing) and own, forbidden (support)
// Answers to effects that were answered before, and wake, change nothing.
result<events> decide(const state& s, const command& what, const context& ctx);
void apply(state& s, const event& what);
void check(const state& s);
void check_full(const state& s);
user_view view_of(const state& s);  // without the hash
bool is_blank(const state& s);      // never registered, or erased

// Refusal: invalid_profile for the first bad member; data is its JSON Pointer (RFC 6901).
status validate(const profile& p);

std::vector<effect> pending(const state& s, std::size_t limit);
// Nothing while the guest's cart is sealed by a checkout (it will end), and for an answer that says
// the command was too late.
std::optional<command> settle(const state& s, std::string_view effect_key, const answer& got);

}  // namespace omnicart::user
