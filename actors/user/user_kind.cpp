#include "actors/user/user_kind.hpp"

#include "actors/cart/cart_messages.hpp"
#include "actors/email/email_messages.hpp"
#include "actors/session/session_messages.hpp"

namespace omnicart::user {
namespace {

constexpr std::string_view email_key = "email";
constexpr std::string_view release_key = "release_email";
constexpr std::string_view session_key = "guest_session";
constexpr std::string_view cart_key = "guest_cart";
constexpr std::string_view revoke_prefix = "revoke/";
constexpr std::string_view forget_prefix = "forget/";
constexpr std::string_view forget_cart_key = "forget_cart";

effect claim_effect(const state& s) {
  return {.key = std::string(email_key),
          .to = email::entity_for(s.email),
          .command = email::encode(email::claim{.address = s.email, .user = s.id})};
}

effect release_effect(const state& s) {
  return {.key = std::string(release_key),
          .to = email::entity_for(s.email),
          .command = email::encode(email::release{.user = s.id})};
}

void add_guest_effects(const state& s, std::vector<effect>& list) {
  if ((s.guest_steps & session_step) != 0) {
    list.push_back({.key = std::string(session_key),
                    .to = {"session", s.guest_session},
                    .command = session::encode(session::adopt{.user = s.id.str()})});
  }
  if ((s.guest_steps & cart_step) != 0) {
    list.push_back({.key = std::string(cart_key),
                    .to = {"cart", s.cart.str()},
                    .command = cart::encode(cart::assign{.user = s.id.str()})});
  }
}

effect revoke_effect(const state& s, const std::string& session) {
  const char* why = "password changed, or too many sessions";
  if (s.status == user_status::disabled) why = "user disabled";
  if (s.status == user_status::erasing) why = "user erased";
  return {.key = std::string(revoke_prefix) + session,
          .to = {"session", session},
          .command = session::encode(session::revoke{.reason = why})};
}

// With its session goes the key of what the user had ordered as a guest.
effect forget_effect(const std::string& guest) {
  return {.key = std::string(forget_prefix) + guest,
          .to = {"session", guest},
          .command = session::encode(session::forget{})};
}

effect forget_cart_effect(const state& s) {
  return {.key = std::string(forget_cart_key),
          .to = {"cart", s.cart.str()},
          .command = cart::encode(cart::forget{.user = s.id.str()})};
}

std::optional<command> claim_answered(const answer& got) {
  if (got.ok()) return email_claimed{};
  return email_refused{};
}

std::optional<command> assign_answered(const answer& got) {
  if (got.failure && got.failure->is(cart::errc::checkout_in_progress)) return std::nullopt;
  const bool others = got.failure && (got.failure->is(cart::errc::closed) ||
                                      got.failure->is(cart::errc::already_open));
  return guest_adopted{.step = cart_step, .lost = others};
}

std::size_t heap_bytes(const std::string& text) {
  return text.capacity() > std::string{}.capacity() ? text.capacity() + 1 : 0;
}

std::size_t heap_bytes(const std::vector<std::string>& list) {
  std::size_t sum = list.capacity() * sizeof(std::string);
  for (const auto& text : list) sum += heap_bytes(text);
  return sum;
}

std::size_t heap_bytes(const profile& p) {
  std::size_t sum = heap_bytes(p.name) + heap_bytes(p.phone) +
                    p.addresses.capacity() * sizeof(order::address) +
                    p.notifications.capacity() * sizeof(p.notifications[0]);
  for (const auto& a : p.addresses) {
    for (const auto* text :
         {&a.name, &a.line1, &a.line2, &a.city, &a.postal_code, &a.region, &a.country, &a.phone}) {
      sum += heap_bytes(*text);
    }
  }
  for (const auto& [name, on] : p.notifications) sum += heap_bytes(name);
  return sum;
}

}  // namespace

std::vector<effect> pending(const state& s, std::size_t limit) {
  std::vector<effect> list;
  if (s.status == user_status::registering) {
    list.push_back(claim_effect(s));
  } else if (s.status == user_status::erasing) {
    if (!s.email.empty()) list.push_back(release_effect(s));
    // Not before the sessions that could fill it again have ended.
    if (!s.cart.empty() && s.revocations.empty()) list.push_back(forget_cart_effect(s));
  } else {
    add_guest_effects(s, list);
  }
  for (const auto& session : s.revocations) {
    if (list.size() >= limit) break;
    list.push_back(revoke_effect(s, session));
  }
  if (s.status == user_status::erasing) {
    for (const auto* guests : {&s.older, &s.absorbed}) {
      for (const auto& guest : *guests) {
        if (list.size() >= limit) break;
        list.push_back(forget_effect(guest));
      }
    }
  }
  if (list.size() > limit) list.resize(limit);
  return list;
}

std::optional<command> settle(const state&, std::string_view key, const answer& got) {
  if (got.failure && got.failure->is(base_errc::expired)) return std::nullopt;
  if (key == email_key) return claim_answered(got);
  // A guest session that ended meanwhile takes nothing from the account: the login that follows
  // opens another.
  if (key == session_key) return guest_adopted{.step = session_step, .joined = got.ok()};
  if (key == cart_key) return assign_answered(got);
  if (key == release_key) return email_released{};
  if (key == forget_cart_key) return cart_forgotten{};
  if (key.starts_with(forget_prefix))
    return guest_forgotten{.session = std::string(key.substr(forget_prefix.size()))};
  if (!key.starts_with(revoke_prefix)) return std::nullopt;
  return session_revoked{.session = std::string(key.substr(revoke_prefix.size()))};
}

result<events> kind::decide(const state& s, const command& what, const context& ctx) {
  return user::decide(s, what, ctx);
}
void kind::apply(state& s, const event& what) { user::apply(s, what); }
void kind::check(const state& s) { user::check(s); }
void kind::check_full(const state& s) { user::check_full(s); }

std::string kind::reply(const state& s, const command& what, const context&) {
  user_view view = view_of(s);
  if (std::holds_alternative<credentials>(what)) view.password_hash = s.password_hash;
  return encode_reply(view);
}

std::vector<effect> kind::pending(const state& s, std::size_t limit) {
  return user::pending(s, limit);
}
std::optional<command> kind::settle(const state& s, std::string_view key, const answer& got) {
  return user::settle(s, key, got);
}
std::optional<timestamp_ms> kind::wake_at(const state&) { return std::nullopt; }
command kind::wake() { return user::wake{}; }

bool kind::in_progress(const state& s) {
  return s.status == user_status::registering || s.status == user_status::erasing ||
         s.guest_steps != 0 || !s.revocations.empty();
}

bool kind::is_blank(const state& s) { return user::is_blank(s); }

std::size_t kind::memory_bytes(const state& s) {
  return heap_bytes(s.id.str()) + heap_bytes(s.email) + heap_bytes(s.password_hash) +
         heap_bytes(s.details) + heap_bytes(s.cart.str()) + heap_bytes(s.guest_session) +
         heap_bytes(s.absorbed) + heap_bytes(s.sessions) + heap_bytes(s.revocations) +
         heap_bytes(s.keyless) + heap_bytes(s.older) + heap_bytes(s.person_key) +
         s.tickets.capacity() * sizeof(ticket);
}

}  // namespace omnicart::user
