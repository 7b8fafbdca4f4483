#include "actors/user/user.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/base/assert.hpp"

namespace omnicart::user {
namespace {

command_id content_of(const register_user& c) {
  const std::string as(1, static_cast<char>(c.as));
  return digest_128(
      {"register-user", c.id.str(), c.email, c.name, as, c.guest_session, c.cart.str()});
}

bool is_plausible_hash(const std::string& hash) {
  return !hash.empty() && hash.size() <= hash_bytes_max;
}

// What is wrong with the shape of a registration, or null.
const char* registration_fault(const register_user& c) {
  if (c.id.empty()) return "registration without the user's own id";
  if (c.email.empty() || c.email.size() > email_bytes_max)
    return "registration without e-mail, or one too long";
  if (!is_plausible_hash(c.password_hash))
    return "registration without password hash, or one too long";
  if (c.as != role::shopper && c.as != role::support && c.as != role::admin)
    return "no role of a user";
  return nullptr;
}

// Refusal: no_such_user while there is no account (yet).
status known(const state& s) {
  switch (s.status) {
    case user_status::unregistered:
    case user_status::registering:
    case user_status::refused:
    case user_status::erasing:
      return fail(errc::no_such_user);
    case user_status::active:
    case user_status::disabled:
      return {};
  }
  bug("a user has one of six states");
}

// Others' records look as if they did not exist.
status known_and_own(const state& s, const caller& asker) {
  if (auto ok = known(s); !ok) return ok;
  if (is_staff(asker.as) || asker.user == s.id.str()) return {};
  return fail(errc::no_such_user);
}

status changeable(const state& s, const caller& asker) {
  if (auto ok = known_and_own(s, asker); !ok) return ok;
  if (s.status == user_status::disabled && !is_staff(asker.as)) return fail(errc::disabled);
  return {};
}

bool holds(const std::vector<std::string>& list, const std::string& item) {
  return std::ranges::find(list, item) != list.end();
}
bool counts_as(const state& s, const std::string& guest) {
  return holds(s.absorbed, guest) || holds(s.older, guest);
}
std::size_t keyed_guests(const state& s) {
  return s.older.size() + s.absorbed.size() - s.keyless.size();
}

cart_id cart_of(const register_user& c) {
  if (!c.cart.empty()) return c.cart;
  return cart_id{c.guest_session.empty() ? c.id.str() : c.guest_session};
}

events one(event what) {
  events list;
  list.push_back(std::move(what));
  return list;
}

result<events> on(const state& s, const register_user& c, const context& ctx) {
  if (const char* fault = registration_fault(c)) return fail(base_errc::malformed, fault);
  if (c.as > role::shopper && c.as > ctx.asker.as) return fail(base_errc::forbidden);
  if (auto ok = validate({.name = c.name}); !ok) return fail(std::move(ok.error()));
  const command_id content = content_of(c);
  if (s.status != user_status::unregistered) {
    if (s.content != content) return fail(errc::conflict);
    return events{};
  }
  return one(registered{.id = c.id,
                        .email = c.email,
                        .password_hash = c.password_hash,
                        .name = c.name,
                        .as = c.as,
                        .guest_session = c.guest_session,
                        .cart = cart_of(c),
                        .at = ctx.now,
                        .content = content});
}

result<events> on(const state& s, const email_claimed&, const context&) {
  return s.status == user_status::registering ? one(address_claimed{}) : events{};
}
result<events> on(const state& s, const email_refused&, const context&) {
  return s.status == user_status::registering ? one(address_refused{}) : events{};
}
result<events> on(const state& s, const guest_adopted& c, const context&) {
  const bool owed =
      known(s) && (c.step == session_step || c.step == cart_step) && (s.guest_steps & c.step) != 0;
  return owed ? one(guest_step_done{.step = c.step, .lost = c.lost, .joined = c.joined}) : events{};
}

result<events> on(const state& s, const get&, const context& ctx) {
  if (auto ok = known_and_own(s, ctx.asker); !ok) return fail(std::move(ok.error()));
  return events{};
}
result<events> on(const state& s, const credentials&, const context&) {
  if (auto ok = known(s); !ok) return fail(std::move(ok.error()));
  return events{};
}

result<events> on(const state& s, const update_profile& c, const context& ctx) {
  if (auto ok = changeable(s, ctx.asker); !ok) return fail(std::move(ok.error()));
  if (auto ok = validate(c.to); !ok) return fail(std::move(ok.error()));
  if (c.to == s.details) return events{};
  return one(profile_updated{.to = c.to});
}

result<events> on(const state& s, const change_password& c, const context& ctx) {
  if (auto ok = changeable(s, ctx.asker); !ok) return fail(std::move(ok.error()));
  if (!is_plausible_hash(c.password_hash))
    return fail(base_errc::malformed, "no password hash, or one too long");
  if (c.password_hash == s.password_hash) return events{};
  const bool own = ctx.asker.user == s.id.str();
  return one(password_changed{.password_hash = c.password_hash,
                              .ends_others = true,
                              .kept = own ? ctx.asker.session : std::string{}});
}

result<events> on(const state& s, const set_disabled& c, const context& ctx) {
  if (!is_staff(ctx.asker.as)) return fail(base_errc::forbidden);
  if (auto ok = known(s); !ok) return fail(std::move(ok.error()));
  if (c.disabled == (s.status == user_status::disabled)) return events{};
  return one(disabled_set{.disabled = c.disabled});
}

result<events> on(const state& s, const absorb_guest& c, const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  if (c.session.empty()) return fail(base_errc::malformed, "absorb_guest without session");
  if (auto ok = known(s); !ok) return fail(std::move(ok.error()));
  if (counts_as(s, c.session)) return events{};
  if (!c.keyless && keyed_guests(s) >= keyed_guests_max) return fail(errc::too_many_guests);
  const bool crowded = s.absorbed.size() >= absorbed_max && s.keyless.empty();
  if (c.keyless && crowded) return events{};
  return one(guest_absorbed{.session = c.session, .keyless = c.keyless});
}

result<events> on(const state& s, const session_opened& c, const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  if (c.session.empty()) return fail(base_errc::malformed, "session_opened without session");
  if (auto ok = known(s); !ok) return fail(std::move(ok.error()));
  if (s.status == user_status::disabled) return fail(errc::disabled);
  if (holds(s.sessions, c.session) || holds(s.revocations, c.session)) return events{};
  if (c.credentials < s.credentials) return fail(errc::password_changed);
  if (s.revocations.size() >= revocations_max)
    return fail(base_errc::overloaded, "too many sessions wait to be revoked");
  return one(session_noted{.session = c.session});
}

result<events> on(const state& s, const session_revoked& c, const context&) {
  return holds(s.revocations, c.session) ? one(session_dropped{.session = c.session}) : events{};
}
result<events> on(const state&, const wake&, const context&) { return events{}; }

const ticket* ticket_for(const state& s, ticket_purpose purpose) {
  const auto at = std::ranges::find(s.tickets, purpose, &ticket::purpose);
  return at == s.tickets.end() ? nullptr : &*at;
}

result<events> on(const state& s, const issue_ticket& c, const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  if (c.digest.empty() || c.digest.size() > digest_bytes_max || c.purpose > ticket_purpose::confirm_email)
    return fail(base_errc::malformed, "no ticket");
  if (auto ok = known(s); !ok) return fail(std::move(ok.error()));
  if (s.status == user_status::disabled) return fail(errc::disabled);
  return one(ticket_issued{
      .what = {.purpose = c.purpose, .digest = c.digest, .expires_at = c.expires_at}});
}

result<events> on(const state& s, const redeem_ticket& c, const context& ctx) {
  if (auto ok = known(s); !ok) return fail(std::move(ok.error()));
  if (s.status == user_status::disabled) return fail(errc::disabled);
  const ticket* held = ticket_for(s, c.purpose);
  if (held == nullptr || held->digest != c.digest || held->expires_at <= ctx.now)
    return fail(errc::invalid_ticket);
  events all = one(ticket_redeemed{.purpose = c.purpose});
  if (c.purpose != ticket_purpose::reset_password) return all;
  if (!is_plausible_hash(c.password_hash))
    return fail(base_errc::malformed, "no password hash, or one too long");
  all.push_back(
      password_changed{.password_hash = c.password_hash, .ends_others = true, .kept = {}});
  return all;
}

result<events> on(const state& s, const keep_person_key& c, const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  if (c.key.size() != person_key_bytes) return fail(base_errc::malformed, "no key");
  if (auto ok = known(s); !ok) return fail(std::move(ok.error()));
  return s.person_key.empty() ? one(person_key_kept{.key = c.key}) : events{};
}

result<events> on(const state& s, const erase&, const context& ctx) {
  const bool own = ctx.asker.user == s.id.str();
  const bool under_way = s.status == user_status::erasing;
  if (under_way && (own || ctx.asker.as >= role::admin)) return events{};
  if (auto ok = known_and_own(s, ctx.asker); !ok) return fail(std::move(ok.error()));
  if (!own && ctx.asker.as < role::admin) return fail(base_errc::forbidden);
  return one(erasure_begun{});
}
result<events> on(const state& s, const email_released&, const context&) {
  return s.status == user_status::erasing && !s.email.empty() ? one(address_released{}) : events{};
}

result<events> on(const state& s, const guest_forgotten& c, const context&) {
  const bool owed = s.status == user_status::erasing && counts_as(s, c.session);
  return owed ? one(guest_dropped{.session = c.session}) : events{};
}

result<events> on(const state& s, const cart_forgotten&, const context&) {
  return s.status == user_status::erasing && !s.cart.empty() ? one(cart_dropped{}) : events{};
}

// A key that nobody remembered would outlast the user: only who has none may fall out. Builds before knew of one list of
// a hundred, which they may still read.
void absorb(state& s, const std::string& session, bool keyless) {
  if (counts_as(s, session)) return;
  s.absorbed.push_back(session);
  if (keyless) s.keyless.push_back(session);
  if (s.absorbed.size() <= absorbed_max) return;
  if (!s.keyless.empty()) {
    std::erase(s.absorbed, s.keyless.front());
    s.keyless.erase(s.keyless.begin());
    return;
  }
  s.older.push_back(std::move(s.absorbed.front()));
  s.absorbed.erase(s.absorbed.begin());
}

void note(state& s, const std::string& session) {
  if (s.status != user_status::active || holds(s.sessions, session)) return;
  s.sessions.push_back(session);
  if (s.sessions.size() <= sessions_max) return;
  s.revocations.push_back(std::move(s.sessions.front()));
  s.sessions.erase(s.sessions.begin());
}

void revoke_all(state& s) {
  std::ranges::move(s.sessions, std::back_inserter(s.revocations));
  s.sessions.clear();
}

void on_event(state& s, const registered& e) {
  s = state{.status = user_status::registering,
            .as = e.as,
            .id = e.id,
            .email = e.email,
            .password_hash = e.password_hash,
            .details = {.name = e.name},
            .cart = e.cart,
            .guest_session = e.guest_session,
            .created_at = e.at,
            .content = e.content};
  if (!e.guest_session.empty()) s.guest_steps = session_step | cart_step;
}
void on_event(state& s, const address_claimed&) {
  s.status = user_status::active;
  // It lives on as the user's, so it may get a key yet.
  constexpr bool keyless = false;
  if (!s.guest_session.empty()) absorb(s, s.guest_session, keyless);
}
void on_event(state& s, const address_refused&) {
  s.status = user_status::refused;
  s.password_hash = {};  // of no use to anybody any more
  s.guest_steps = 0;
}
void on_event(state& s, const guest_step_done& e) {
  s.guest_steps &= ~e.step;
  if (e.lost) s.cart = cart_id{s.id.str()};
  if (e.joined) note(s, s.guest_session);
}
void on_event(state& s, const profile_updated& e) { s.details = e.to; }
// The session that stays may not have reached the user yet, and need not any more.
void on_event(state& s, const password_changed& e) {
  s.password_hash = e.password_hash;
  if (!e.ends_others) return;
  ++s.credentials;
  std::erase(s.sessions, e.kept);
  revoke_all(s);
  if (!e.kept.empty() && !holds(s.revocations, e.kept)) note(s, e.kept);
}
void on_event(state& s, const disabled_set& e) {
  s.status = e.disabled ? user_status::disabled : user_status::active;
  if (e.disabled) revoke_all(s);
}
void on_event(state& s, const guest_absorbed& e) { absorb(s, e.session, e.keyless); }
void on_event(state& s, const session_noted& e) { note(s, e.session); }
// The last thing an erased user owed is done: as if there had never been one.
void forget_if_done(state& s) {
  const bool owes_none = s.email.empty() && s.revocations.empty() && s.absorbed.empty() && s.older.empty() &&
                         s.cart.empty();
  if (s.status == user_status::erasing && owes_none) s = state{};
}

void on_event(state& s, const session_dropped& e) {
  std::erase(s.revocations, e.session);
  forget_if_done(s);
}
void on_event(state& s, const ticket_issued& e) {
  std::erase_if(s.tickets, [&](const ticket& t) { return t.purpose == e.what.purpose; });
  s.tickets.push_back(e.what);
}
void on_event(state& s, const ticket_redeemed& e) {
  std::erase_if(s.tickets, [&](const ticket& t) { return t.purpose == e.purpose; });
  s.email_confirmed = true;
}
void on_event(state& s, const person_key_kept& e) { s.person_key = e.key; }
void on_event(state& s, const erasure_begun&) {
  revoke_all(s);
  s = state{.status = user_status::erasing,
            .as = s.as,
            .id = s.id,
            .email = s.email,
            .cart = s.cart,
            .created_at = s.created_at,
            .absorbed = std::move(s.absorbed),
            .revocations = std::move(s.revocations),
            .older = std::move(s.older)};
}
void on_event(state& s, const guest_dropped& e) {
  std::erase(s.absorbed, e.session);
  std::erase(s.older, e.session);
  forget_if_done(s);
}
void on_event(state& s, const address_released&) {
  s.email.clear();
  forget_if_done(s);
}
void on_event(state& s, const cart_dropped&) {
  s.cart = {};
  forget_if_done(s);
}

}  // namespace

result<events> decide(const state& s, const command& what, const context& ctx) {
  return std::visit([&](const auto& c) { return on(s, c, ctx); }, what);
}

void apply(state& s, const event& what) {
  std::visit([&](const auto& e) { on_event(s, e); }, what);
}

void check(const state& s) {
  const bool unregistered = s.status == user_status::unregistered;
  const bool released = s.status == user_status::erasing && s.email.empty();
  ensure(unregistered == s.id.empty() && (unregistered == s.email.empty() || released),
         "a registered user has an id and an address");
  const bool has_account = known(s).has_value();
  ensure((has_account || s.status == user_status::registering) != s.password_hash.empty(),
         "an account has a password");
  ensure(s.guest_steps <= (session_step | cart_step), "two steps take a guest along");
  ensure(s.guest_steps == 0 || !s.guest_session.empty(), "only a guest is taken along");
  ensure(s.sessions.size() <= sessions_max && s.absorbed.size() <= absorbed_max,
         "a user's lists are bounded");
  ensure(s.keyless.size() <= s.absorbed.size(), "only guests that count as the user are known to have no key");
  ensure(s.revocations.size() <= revocations_max + sessions_max, "owed revocations are bounded");
  ensure(s.tickets.size() <= 2, "there is a ticket of each purpose at most");
  ensure(s.sessions.empty() || s.status == user_status::active, "only an active user has sessions");
}

void check_full(const state& s) {
  check(s);
  ensure(s.status <= user_status::erasing, "the state is a known one");
  ensure(validate(s.details).has_value(), "the profile keeps its limits");
  for (const auto& guest : s.keyless) ensure(holds(s.absorbed, guest), "who has no key is one of the guests");
  for (const auto& guest : s.older) ensure(!holds(s.absorbed, guest), "a guest is in one list");
  for (const auto& session : s.sessions) {
    ensure(!session.empty() && !holds(s.revocations, session),
           "a session is live or to be revoked");
  }
}

user_view view_of(const state& s) {
  std::vector<std::string> guests = s.older;
  guests.insert(guests.end(), s.absorbed.begin(), s.absorbed.end());
  return {.status = s.status,
          .email = s.email,
          .as = s.as,
          .details = s.details,
          .cart = s.cart,
          .absorbed = std::move(guests),
          .created_at = s.created_at,
          .password_hash = {},
          .sessions = s.sessions,
          .credentials = s.credentials,
          .ending = static_cast<std::uint32_t>(s.revocations.size()),
          .email_confirmed = s.email_confirmed,
          .person_key = s.person_key,
          .guests_full = keyed_guests(s) >= keyed_guests_max};
}

bool is_blank(const state& s) { return s.status == user_status::unregistered; }

}  // namespace omnicart::user
