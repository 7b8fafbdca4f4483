#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "actors/order/order_messages.hpp"
#include "runtime/base/entity.hpp"

// What may be said to a user and what it answers. Entity "user/<user_id>".
namespace omnicart::user {

enum class errc : error_number {
  email_taken = 600,
  no_such_user = 601,
  disabled = 602,
  conflict = 603,         // registered already with other content
  invalid_profile = 604,  // detail says which member
  password_changed = 605,  // since the session's was shown
  invalid_ticket = 606,    // of a mail: used, too old, or followed by a newer one
  too_many_guests = 607,   // 1,000 guest sessions with a key count as the user already
};
const char* to_string(errc code);

// The user claims its address ("email/<digest>") by an effect; in progress until that is settled. `password_hash`
// is libsodium's encoded Argon2id string. A guest's session and cart are taken along. Idempotent by content, of which
// the hash is no part (it is salted anew each time). A taken address ends as status `refused`, in the answer, not as a
// refusal. Roles above shopper by staff only (base_errc::forbidden).
struct register_user {
  std::string email;
  std::string password_hash;
  std::string name;
  role as = role::shopper;
  std::string guest_session;
  cart_id cart;  // empty: the one with the guest session's id, or else with the user's own
  user_id id;    // the user's own: it names itself to others and its owner
  OMNICART_FIELDS(email, password_hash, name, as, guest_session, cart, id)
};
struct email_claimed { OMNICART_FIELDS() };
struct email_refused { OMNICART_FIELDS() };
// Step 1: the session, 2: the cart. `lost`: the cart belongs to somebody else by now; the user gets one of its own.
// `joined`: the session is the user's now and is noted as such.
struct guest_adopted {
  std::uint32_t step = 0;
  bool lost = false;
  bool joined = false;
  OMNICART_FIELDS(step, lost, joined)
};
// Once active: by its owner (asker.user) or staff; for others there is no_such_user.
struct get { OMNICART_FIELDS() };
struct credentials { OMNICART_FIELDS() };  // for login and password changes; the only reply with the hash
struct profile {
  std::string name;
  std::string phone;
  std::vector<order::address> addresses;                       // at most 20
  std::vector<std::pair<std::string, bool>> notifications;     // preference name -> on
  friend bool operator==(const profile&, const profile&) = default;
  OMNICART_FIELDS(name, phone, addresses, notifications)
};
// Refused as invalid_profile; error::data is the JSON Pointer of the member, not encoded. Texts are valid UTF-8 without
// control characters: name 200 bytes, phone 40, each member of an address 200, country two capitals, preference names
// 64, no two alike, at most 50.
struct update_profile { profile to; OMNICART_FIELDS(to) };
// Revokes every session of the user but the asker's own, and those still opening with the old password; answers to
// patient callers wait until they are (user_view::ending says how many are left). The same hash again changes nothing.
struct change_password { std::string password_hash; OMNICART_FIELDS(password_hash) };
// By staff. Disabling revokes every session of the user; answers to patient callers wait for that.
struct set_disabled { bool disabled = true; OMNICART_FIELDS(disabled) };
// A login absorbed this guest session: its orders count as the user's. Idempotent. One that has a key, or may have one, is
// kept until the user is erased: beyond 1,000 of them it is refused as too_many_guests and stays a guest's. Of those that
// are `keyless` (they ordered nothing) so many newest ones are kept as leave at most 100 in the newer list.
struct absorb_guest { std::string session; bool keyless = false; OMNICART_FIELDS(session, keyless) };
struct wake { OMNICART_FIELDS() };
// From each session of the user when it opens. At most 50 are kept: the oldest beyond is revoked. Refused as disabled
// for a disabled user, and as password_changed when `credentials` is not the user's any more (the session then revokes
// itself). Idempotent.
struct session_opened {
  std::string session;
  std::uint32_t credentials = 0;  // user_view::credentials when the password was shown
  OMNICART_FIELDS(session, credentials)
};
struct session_revoked { std::string session; OMNICART_FIELDS(session) };  // answer to its own effect

// A secret that is sent to the user's address, of which the user keeps a digest: the newest of each purpose. By the
// engine (base_errc::forbidden).
enum class ticket_purpose : std::uint8_t { reset_password = 0, confirm_email = 1 };
struct issue_ticket {
  ticket_purpose purpose{};
  std::string digest;
  timestamp_ms expires_at;
  OMNICART_FIELDS(purpose, digest, expires_at)
};
// Whoever has the secret has read the mail: the address is confirmed, once. To reset the password `password_hash` is
// the new one; then all sessions end, as change_password has it. Refused as invalid_ticket.
struct redeem_ticket {
  ticket_purpose purpose{};
  std::string digest;
  std::string password_hash;
  OMNICART_FIELDS(purpose, digest, password_hash)
};
// The key that the user's personal data in orders is encrypted with; the first one given stays. By the engine.
struct keep_person_key { std::string key; OMNICART_FIELDS(key) };
// By its owner or an admin. Profile, password and key go at once; sessions end, those of guests that count as the user
// are forgotten with their keys, so is the cart, and the address is free again; then nothing is left of the user but their id in the
// orders they made. Answers to patient callers wait for that. Asked again meanwhile it changes nothing.
struct erase { OMNICART_FIELDS() };
struct email_released { OMNICART_FIELDS() };  // answer to its own effect
struct guest_forgotten { std::string session; OMNICART_FIELDS(session) };  // answer to its own effect
struct cart_forgotten { OMNICART_FIELDS() };                               // as above

using command = std::variant<register_user, email_claimed, email_refused, guest_adopted, get, credentials, update_profile,
                             change_password, set_disabled, absorb_guest, wake, session_opened, session_revoked,
                             issue_ticket, redeem_ticket, keep_person_key, erase, email_released,
                             guest_forgotten, cart_forgotten>;

enum class user_status : std::uint8_t {
  unregistered = 0, registering = 1, active = 2, refused = 3, disabled = 4, erasing = 5
};
const char* to_string(user_status status);

struct user_view {
  user_status status{};
  std::string email;
  role as = role::shopper;
  profile details;
  cart_id cart;
  std::vector<std::string> absorbed;  // guest sessions whose orders count as the user's, oldest first
  timestamp_ms created_at;
  std::string password_hash;          // credentials only
  std::vector<std::string> sessions;  // opened and not known to be revoked by the user, oldest first
  std::uint32_t credentials = 0;      // counts password changes
  std::uint32_t ending = 0;           // sessions that are being revoked
  bool email_confirmed = false;       // somebody read a mail sent there
  std::string person_key;             // see keep_person_key; stays within the engine
  bool guests_full = false;           // no further guest session with a key can be absorbed
  OMNICART_FIELDS(status, email, as, details, cart, absorbed, created_at, password_hash, sessions, credentials, ending,
                  email_confirmed, person_key, guests_full)
};
using reply = user_view;

std::string encode(const command& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::user
