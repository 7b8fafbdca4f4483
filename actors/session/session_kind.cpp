#include "actors/session/session_kind.hpp"

#include "actors/cart/cart_takeover.hpp"
#include "actors/user/user_messages.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::session {
namespace {

constexpr std::string_view surrender_key = "surrender";
constexpr std::string_view open_cart_key = "open_cart";
constexpr std::string_view merge_key = "merge";
constexpr std::string_view revoke_key = "revoke_guest";
constexpr std::string_view absorb_key = "absorb";
constexpr std::string_view forget_key = "forget_guest";
constexpr std::string_view user_key = "user";

effect effect_to(std::string_view key, entity_ref to, std::string command) {
  return {.key = std::string(key), .to = std::move(to), .command = std::move(command)};
}

// Of what was surrendered, into the user's cart.
cart::merge merge_of(const state& s) {
  auto lines = decode_lines(s.lines);
  auto with = decode_wishes(s.wishes);
  ensure(lines.has_value() && with.has_value(), "what was surrendered can be read");
  return {.from = s.absorb_cart, .lines = std::move(*lines), .with = std::move(*with)};
}

std::optional<effect> absorb_effect(const state& s) {
  switch (s.absorbing) {
    case absorb_step::none:
    case absorb_step::done:
      return std::nullopt;
    case absorb_step::surrender:
      return effect_to(surrender_key, {"cart", s.absorb_cart.str()},
                       cart::encode(cart::surrender{.to = s.merge_into}));
    case absorb_step::open_cart:  // a user's cart may not have been used yet
      return effect_to(open_cart_key, {"cart", s.merge_into.str()},
                       cart::encode(cart::open{.session = {}, .user = s.user}));
    case absorb_step::merge:
      return effect_to(merge_key, {"cart", s.merge_into.str()}, cart::encode(merge_of(s)));
    case absorb_step::revoke_guest:
      return effect_to(revoke_key, {"session", s.absorb},
                       encode(revoke{.reason = "taken over by a login"}));
    case absorb_step::tell_user:
      return effect_to(absorb_key, {"user", s.user},
                       user::encode(user::absorb_guest{.session = s.absorb,
                                                       .keyless = s.absorb_keyless}));
    case absorb_step::forget_guest:
      return effect_to(forget_key, {"session", s.absorb}, encode(forget{}));
  }
  bug("the login saga has eight steps");
}

// The receiver did not do it and may do it when asked again.
bool ask_again(const answer& got) {
  return got.failure &&
         (got.failure->is(base_errc::expired) || got.failure->is(cart::errc::checkout_in_progress));
}

std::optional<command> surrendered(const answer& got) {
  if (!got.ok()) return cart_surrendered{};
  const auto reply = cart::decode_reply(got.payload);
  const auto* cart = reply ? std::get_if<cart::cart_view>(&*reply) : nullptr;
  if (cart == nullptr) return std::nullopt;
  std::vector<cart::new_line> lines;
  lines.reserve(cart->lines.size());
  for (const auto& line : cart->lines) {
    lines.push_back({.product = line.product,
                     .name = line.name,
                     .quantity = line.quantity,
                     .unit_price = line.unit_price,
                     .list_price = line.list_price});
  }
  if (lines.empty() && cart->with == cart::wishes{}) return cart_surrendered{};
  return cart_surrendered{.lines = encode_lines(lines), .wishes = encode_wishes(cart->with)};
}

// Refused for good, it left all of it behind: the user's cart is closed, or another's.
command merged(const state& s, const answer& got) {
  if (got.failure) {
    const auto all = merge_of(s);
    return cart_merged{.left = encode_left(cart::leave_all(all.lines, all.with, cart::errc::closed))};
  }
  const auto reply = cart::decode_reply(got.payload);
  const auto* cart = reply ? std::get_if<cart::cart_view>(&*reply) : nullptr;
  return cart_merged{.left = cart == nullptr ? std::string{} : encode_left(cart->left)};
}

// Of a session that has ended, so that it gets no key any more. One that is not known left nothing.
bool is_keyless(const answer& got) {
  if (got.failure) return got.failure->is(errc::no_such_session);
  const auto view = decode_reply(got.payload);
  return view && view->keyless;
}

std::size_t heap_bytes(const std::string& text) {
  return text.capacity() > std::string{}.capacity() ? text.capacity() + 1 : 0;
}
std::size_t heap_bytes(const std::vector<counted_hold>& holds) {
  std::size_t sum = holds.capacity() * sizeof(counted_hold);
  for (const auto& h : holds) sum += heap_bytes(h.reservation.str());
  return sum;
}

}  // namespace

std::vector<effect> pending(const state& s, std::size_t limit) {
  std::vector<effect> list;
  if (auto owed = absorb_effect(s); owed && list.size() < limit) list.push_back(std::move(*owed));
  if (s.owes_user && list.size() < limit) {
    list.push_back(effect_to(
        user_key, {"user", s.user},
        user::encode(user::session_opened{.session = s.id.str(), .credentials = s.credentials})));
  }
  return list;
}

std::optional<command> settle(const state& s, std::string_view key, const answer& got) {
  if (ask_again(got)) return std::nullopt;
  if (key == surrender_key) return surrendered(got);
  if (key == open_cart_key) return cart_opened{};
  if (key == merge_key) return merged(s, got);
  if (key == revoke_key) return guest_revoked{.keyless = is_keyless(got)};
  const auto refused_as = [&](user::errc code) { return got.failure && got.failure->is(code); };
  if (key == absorb_key && refused_as(user::errc::no_such_user)) return user_gone{};
  if (key == absorb_key) return absorbed{};
  if (key == forget_key) return guest_forgotten{};
  if (key != user_key) return std::nullopt;
  // Disabled, or given another password, while this session opened: it must not outlive the others.
  return registered_with_user{.disabled = refused_as(user::errc::disabled),
                              .stale = refused_as(user::errc::password_changed)};
}

result<events> kind::decide(const state& s, const command& what, const context& ctx) {
  return session::decide(s, what, ctx);
}
void kind::apply(state& s, const event& what) { session::apply(s, what); }
void kind::check(const state& s) { session::check(s); }
void kind::check_full(const state& s) { session::check_full(s); }
std::string kind::reply(const state& s, const command& what, const context&) {
  session_view view = view_of(s);
  if (const auto* named = std::get_if<hold>(&what)) {
    if (const auto* counted = find_hold(s, named->reservation)) view.hold_until = counted->until;
  }
  const bool about_key = std::holds_alternative<keep_person_key>(what) ||
                         std::holds_alternative<read_person_key>(what);
  if (about_key) view.person_key = s.person_key;
  return encode_reply(view);
}
std::vector<effect> kind::pending(const state& s, std::size_t limit) {
  return session::pending(s, limit);
}
std::optional<command> kind::settle(const state& s, std::string_view key, const answer& got) {
  return session::settle(s, key, got);
}
std::optional<timestamp_ms> kind::wake_at(const state& s) { return session::wake_at(s); }
command kind::wake() { return session::wake{}; }
bool kind::is_blank(const state& s) { return s.status == session_status::unopened; }
bool kind::in_progress(const state& s) { return absorbing_guest(s) || s.owes_user; }

std::size_t kind::memory_bytes(const state& s) {
  return heap_bytes(s.id.str()) + heap_bytes(s.user) + heap_bytes(s.cart.str()) +
         heap_bytes(s.refresh_digest) + heap_bytes(s.spent_digest) + heap_bytes(s.absorb) +
         heap_bytes(s.absorb_cart.str()) + heap_bytes(s.merge_into.str()) + heap_bytes(s.lines) +
         heap_bytes(s.user_agent) + heap_bytes(s.end_reason) + heap_bytes(s.holds) +
         heap_bytes(s.person_key) + heap_bytes(s.wishes) + heap_bytes(s.left);
}

}  // namespace omnicart::session
