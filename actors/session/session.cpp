#include "actors/session/session.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/assert.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::session {
namespace {

command_id content_of(const open& c) {
  const std::string as(1, static_cast<char>(c.as));
  return digest_128({"session-open", as, c.user, c.cart.str(), c.refresh_digest, c.absorb,
                     c.id.str(), c.absorb_cart.str()});
}

bool has_plausible_digest(const std::string& digest) {
  return !digest.empty() && digest.size() <= digest_bytes_max;
}

// What is wrong with the shape of an open, or null.
const char* open_fault(const open& c) {
  const bool guest = c.as == role::guest;
  if (c.id.empty()) return "open without the session's own id";
  if (!has_plausible_digest(c.refresh_digest))
    return "open without a refresh digest, or with one too long";
  if (c.as != role::shopper && c.as != role::support && c.as != role::admin && !guest)
    return "no role of a session";
  if (guest != c.user.empty()) return "a guest has no user, everybody else has one";
  if (!guest && c.cart.empty()) return "open for a user without cart";
  if (c.absorb.empty()) return nullptr;
  if (guest) return "only a login takes a guest session over";
  return c.absorb == c.id.str() ? "a session cannot take itself over" : nullptr;
}

// Refusal: revoked or expired; also when it is due to expire and the timer is late.
status usable(const state& s, timestamp_ms now) {
  switch (s.status) {
    case session_status::unopened:
      return fail(errc::no_such_session);
    case session_status::open:
      if (now >= s.expires_at) return fail(errc::expired);
      return {};
    case session_status::revoked:
      return fail(errc::revoked);
    case session_status::expired:
      return fail(errc::expired);
  }
  bug("a session has one of four states");
}

// Others' sessions look as if they did not exist.
status owned(const state& s, const caller& asker) {
  if (s.status == session_status::unopened) return fail(errc::no_such_session);
  const bool same_user = !s.user.empty() && asker.user == s.user;
  if (is_staff(asker.as) || same_user || asker.session == s.id.str()) return {};
  return fail(errc::no_such_session);
}

events one(event what) {
  events list;
  list.push_back(std::move(what));
  return list;
}

result<events> on(const state& s, const open& c, const context& ctx) {
  if (const char* fault = open_fault(c)) return fail(base_errc::malformed, fault);
  const command_id content = content_of(c);
  if (s.status != session_status::unopened) {
    if (s.content != content) return fail(errc::already_open);
    return events{};
  }
  opened e{.id = c.id,
           .as = c.as,
           .user = c.user,
           .cart = c.cart,
           .refresh_digest = c.refresh_digest,
           .expires_at = c.expires_at,
           .absorb = c.absorb,
           .absorb_cart = c.absorb_cart,
           .user_agent = c.user_agent.substr(0, user_agent_bytes_max),
           .at = ctx.now,
           .content = content,
           .credentials = c.credentials,
           .orders_keyed = true};
  if (e.cart.empty()) e.cart = cart_id{c.id.str()};
  if (!e.absorb.empty() && e.absorb_cart.empty()) e.absorb_cart = cart_id{e.absorb};
  return one(std::move(e));
}

result<events> on(const state& s, const authorize&, const context& ctx) {
  if (auto ok = usable(s, ctx.now); !ok) return fail(std::move(ok.error()));
  return events{};
}

events token_reused(const context& ctx) {
  return one(session_revoked{.reason = "a spent refresh token was repeated", .at = ctx.now});
}

result<events> on(const state& s, const refresh& c, const context& ctx) {
  if (auto ok = usable(s, ctx.now); !ok) return fail(std::move(ok.error()));
  if (!has_plausible_digest(c.successor))
    return fail(base_errc::malformed, "refresh without successor, or one too long");
  if (c.digest == s.refresh_digest) {
    if (c.successor == s.refresh_digest)
      return fail(base_errc::malformed, "a token cannot succeed itself");
    return one(refreshed{.refresh_digest = c.successor,
                         .expires_at = std::max(c.expires_at, s.expires_at),
                         .at = ctx.now});
  }
  // The token before is remembered only until its successor is used: then that one is the token
  // before.
  if (!s.spent_digest.empty() && c.digest == s.spent_digest) {
    if (ctx.now - s.spent_at <= repeat_window) return events{};
    return token_reused(ctx);
  }
  const bool genuine_and_older = c.index && s.refresh_index >= 2 && *c.index < s.refresh_index - 1;
  if (genuine_and_older) return token_reused(ctx);
  return fail(errc::bad_refresh_token);
}

result<events> on(const state& s, const revoke& c, const context& ctx) {
  if (auto ok = owned(s, ctx.asker); !ok) return fail(std::move(ok.error()));
  if (s.status != session_status::open) return events{};
  return one(session_revoked{.reason = c.reason.substr(0, reason_bytes_max), .at = ctx.now});
}

result<events> on(const state& s, const adopt& c, const context& ctx) {
  if (s.status == session_status::unopened) return fail(errc::no_such_session);
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  if (c.user.empty()) return fail(base_errc::malformed, "adopt without user");
  if (auto ok = usable(s, ctx.now); !ok) return fail(std::move(ok.error()));
  if (s.user == c.user) return events{};
  if (!s.user.empty()) return fail(errc::already_open);
  return one(adopted{.user = c.user});
}

result<events> on(const state& s, const set_cart& c, const context& ctx) {
  if (auto ok = owned(s, ctx.asker); !ok) return fail(std::move(ok.error()));
  if (auto ok = usable(s, ctx.now); !ok) return fail(std::move(ok.error()));
  if (c.cart.empty()) return fail(base_errc::malformed, "set_cart without cart");
  if (c.cart == s.cart) return events{};
  return one(cart_set{.cart = c.cart});
}

status holdable(const hold& c) {
  if (c.reservation.empty() || c.reservation.str().size() > limits::id_bytes_max)
    return fail(base_errc::malformed, "hold without reservation, or one too long");
  if (c.ttl < std::chrono::seconds{1} || c.ttl > limits::session_hold_ttl_max)
    return fail(base_errc::malformed, "a hold is for 1 s to 30 min");
  return {};
}

// A stock that was asked longer ago than the window will not make that hold any more: if there is
// none, there will be none.
std::string perhaps_ended(const state& s, timestamp_ms now) {
  std::vector<counted_hold> old;
  for (const auto& h : s.holds) {
    if (h.until > now && h.at + limits::session_hold_window <= now) old.push_back(h);
  }
  return encode_holds(old);
}

result<events> on(const state& s, const hold& c, const context& ctx) {
  if (auto ok = owned(s, ctx.asker); !ok) return fail(std::move(ok.error()));
  if (auto ok = usable(s, ctx.now); !ok) return fail(std::move(ok.error()));
  if (auto ok = holdable(c); !ok) return fail(std::move(ok.error()));
  const auto* same = find_hold(s, c.reservation);
  const bool counted = same != nullptr && same->until > ctx.now;
  if (c.known_only && !counted) return events{};
  const auto live =
      std::ranges::count_if(s.holds, [&](const auto& h) { return h.until > ctx.now; });
  if (!counted && static_cast<std::size_t>(live) >= limits::session_holds_max)
    return fail(errc::hold_limit, {}, perhaps_ended(s, ctx.now));
  const timestamp_ms until = ctx.now + c.ttl + limits::session_hold_window;
  return one(hold_counted{.what = {.reservation = c.reservation,
                                   .at = ctx.now,
                                   .until = counted ? std::max(until, same->until) : until}});
}

result<events> on(const state& s, const drop_holds& c, const context& ctx) {
  if (auto ok = owned(s, ctx.asker); !ok) return fail(std::move(ok.error()));
  holds_dropped dropped;
  for (const auto& h : c.holds) {
    const auto* same = find_hold(s, h.reservation);
    const bool meant = same != nullptr && (h.at == timestamp_ms{} || h.at == same->at);
    if (meant) dropped.reservations.push_back(h.reservation);
  }
  if (dropped.reservations.empty()) return events{};
  return one(std::move(dropped));
}

result<events> on(const state& s, const wake&, const context& ctx) {
  const auto due = wake_at(s);
  if (!due || ctx.now < *due) return events{};
  if (s.status == session_status::open) return one(session_expired{.at = ctx.now});
  return s.person_key.empty() ? one(forgotten{}) : one(reduced{});
}

status from_engine(const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  return {};
}

result<events> on(const state& s, const keep_person_key& c, const context& ctx) {
  if (auto ok = from_engine(ctx); !ok) return fail(std::move(ok.error()));
  if (auto ok = usable(s, ctx.now); !ok) return fail(std::move(ok.error()));
  if (c.key.size() != person_key_bytes) return fail(base_errc::malformed, "no key");
  return s.person_key.empty() ? one(person_key_kept{.key = c.key}) : events{};
}
result<events> on(const state&, const read_person_key&, const context& ctx) {
  if (auto ok = from_engine(ctx); !ok) return fail(std::move(ok.error()));
  return events{};
}
result<events> on(const state& s, const forget& c, const context& ctx) {
  if (auto ok = from_engine(ctx); !ok) return fail(std::move(ok.error()));
  if (c.guest_only && !s.user.empty()) return fail(errc::taken_over, {}, s.user);
  return s.status == session_status::unopened ? events{} : one(forgotten{});
}

events if_at(const state& s, absorb_step step, event what) {
  return s.absorbing == step ? one(std::move(what)) : events{};
}
result<events> on(const state& s, const cart_surrendered& c, const context&) {
  if (!decode_lines(c.lines) || !decode_wishes(c.wishes))
    return fail(base_errc::malformed, "what was surrendered does not parse");
  return if_at(s, absorb_step::surrender,
               guest_cart_surrendered{.lines = c.lines, .wishes = c.wishes});
}
result<events> on(const state& s, const cart_opened&, const context&) {
  return if_at(s, absorb_step::open_cart, user_cart_opened{});
}
result<events> on(const state& s, const cart_merged& c, const context&) {
  return if_at(s, absorb_step::merge, guest_cart_merged{.left = c.left});
}
result<events> on(const state& s, const guest_revoked& c, const context&) {
  return if_at(s, absorb_step::revoke_guest, guest_session_revoked{.keyless = c.keyless});
}
result<events> on(const state& s, const absorbed&, const context&) {
  return if_at(s, absorb_step::tell_user, guest_absorbed{});
}
result<events> on(const state& s, const user_gone&, const context&) {
  return if_at(s, absorb_step::tell_user, guest_orphaned{});
}
result<events> on(const state& s, const guest_forgotten&, const context&) {
  return if_at(s, absorb_step::forget_guest, guest_absorbed{});
}
result<events> on(const state& s, const registered_with_user& c, const context& ctx) {
  if (!s.owes_user) return events{};
  if (c.disabled) return one(session_revoked{.reason = "user disabled", .at = ctx.now});
  if (c.stale) return one(session_revoked{.reason = "password changed", .at = ctx.now});
  return one(user_told{});
}

void on_event(state& s, const opened& e) {
  s = state{.status = session_status::open,
            .as = e.as,
            .owes_user = !e.user.empty(),
            .id = e.id,
            .user = e.user,
            .cart = e.cart,
            .refresh_digest = e.refresh_digest,
            .created_at = e.at,
            .expires_at = e.expires_at,
            .absorb = e.absorb,
            .absorb_cart = e.absorb_cart,
            .user_agent = e.user_agent,
            .content = e.content,
            .credentials = e.credentials,
            .orders_keyed = e.orders_keyed};
  if (e.absorb.empty()) return;
  // Somebody who registered from that session and logs in with it at hand has one cart: it must not
  // be closed.
  const bool same_cart = e.absorb_cart == e.cart;
  s.absorbing = same_cart ? absorb_step::revoke_guest : absorb_step::surrender;
  s.merge_into = e.cart;
}
void on_event(state& s, const refreshed& e) {
  s.spent_digest = std::exchange(s.refresh_digest, e.refresh_digest);
  s.spent_at = e.at;
  s.expires_at = e.expires_at;
  ++s.refresh_index;
  s.left = {};
}
// An ended session needs no tokens, and its user no word of it. The login saga goes on: lines that
// left the guest's cart must arrive.
void end(state& s, session_status how, timestamp_ms at, std::string reason) {
  s.status = how;
  s.ended_at = at;
  s.end_reason = std::move(reason);
  s.refresh_digest = {};
  s.spent_digest = {};
  s.owes_user = false;
  s.holds = std::vector<counted_hold>{};
  s.left = {};
}
void on_event(state& s, const session_revoked& e) {
  end(s, session_status::revoked, e.at, e.reason);
}
void on_event(state& s, const session_expired& e) {
  end(s, session_status::expired, e.at, "expired");
}
void on_event(state& s, const forgotten&) { s = state{}; }
void on_event(state& s, const person_key_kept& e) { s.person_key = e.key; }
void on_event(state& s, const reduced&) {
  s.user_agent = {};
  s.end_reason = {};
  s.reduced = true;
}
void on_event(state& s, const guest_orphaned&) { s.absorbing = absorb_step::forget_guest; }
void on_event(state& s, const adopted& e) {
  s.user = e.user;
  s.as = role::shopper;
  s.was_guest = true;
  s.owes_user = true;
}
void on_event(state& s, const cart_set& e) { s.cart = e.cart; }
void on_event(state& s, const guest_cart_surrendered& e) {
  s.lines = e.lines;
  s.wishes = e.wishes;
  s.absorbing = e.lines.empty() ? absorb_step::revoke_guest : absorb_step::open_cart;
}
void on_event(state& s, const user_cart_opened&) { s.absorbing = absorb_step::merge; }
void on_event(state& s, const guest_cart_merged& e) {
  s.lines = {};
  s.wishes = {};
  if (s.status == session_status::open) s.left = e.left;
  s.absorbing = absorb_step::revoke_guest;
}
void on_event(state& s, const guest_session_revoked& e) {
  s.absorbing = absorb_step::tell_user;
  s.absorb_keyless = e.keyless;
}
void on_event(state& s, const guest_absorbed&) { s.absorbing = absorb_step::done; }
void on_event(state& s, const user_told&) { s.owes_user = false; }
void on_event(state& s, const hold_counted& e) {
  std::erase_if(s.holds, [&](const auto& h) {
    return h.until <= e.what.at || h.reservation == e.what.reservation;
  });
  s.holds.push_back(e.what);
}
void on_event(state& s, const holds_dropped& e) {
  std::erase_if(s.holds, [&](const auto& h) {
    return std::ranges::find(e.reservations, h.reservation) != e.reservations.end();
  });
}

// Until all that the guest's cart held has arrived.
bool merging_cart(const state& s) {
  return s.absorbing == absorb_step::surrender || s.absorbing == absorb_step::open_cart ||
         s.absorbing == absorb_step::merge;
}

}  // namespace

result<events> decide(const state& s, const command& what, const context& ctx) {
  return std::visit([&](const auto& c) { return on(s, c, ctx); }, what);
}

void apply(state& s, const event& what) {
  std::visit([&](const auto& e) { on_event(s, e); }, what);
}

void check(const state& s) {
  const bool is_open = s.status == session_status::open;
  if (s.status == session_status::unopened)
    return ensure(s.id.empty() && s.cart.empty() && s.person_key.empty(),
                  "an unopened session is empty");
  ensure(!s.id.empty() && !s.cart.empty(), "a session has an id and a cart");
  ensure((s.as == role::guest) == s.user.empty(), "a session is a guest's or a user's");
  ensure(is_open != s.refresh_digest.empty(),
         "a session has a valid refresh token just as long as it is open");
  ensure(s.spent_digest.empty() || (s.refresh_index > 0 && s.spent_digest != s.refresh_digest),
         "a spent token had a successor");
  ensure((s.absorbing == absorb_step::none) == s.absorb.empty(), "only a login takes a guest over");
  const bool holds_lines =
      s.absorbing == absorb_step::open_cart || s.absorbing == absorb_step::merge;
  ensure(holds_lines != s.lines.empty() && (holds_lines || s.wishes.empty()),
         "what was surrendered waits for its merge and no longer");
  ensure(is_open || s.left.empty(), "only who is logged in is told what was left behind");
  ensure(s.holds.size() <= limits::session_holds_max && (is_open || s.holds.empty()),
         "only an open session holds, and at most ten");
  ensure(!s.reduced || (!is_open && !s.person_key.empty()),
         "only an ended session is kept for its key");
  ensure(!s.owes_user || (is_open && !s.user.empty()), "only an open session of a user is told of");
}

void check_full(const state& s) {
  check(s);
  ensure(s.status <= session_status::expired && s.absorbing <= absorb_step::forget_guest,
         "states are known ones");
  ensure(s.refresh_digest.size() <= digest_bytes_max && s.user_agent.size() <= user_agent_bytes_max,
         "texts are bounded");
  ensure(decode_lines(s.lines).has_value() && decode_wishes(s.wishes).has_value(),
         "what was surrendered can be read");
}

const counted_hold* find_hold(const state& s, const reservation_id& reservation) {
  const auto at = std::ranges::find(s.holds, reservation, &counted_hold::reservation);
  return at == s.holds.end() ? nullptr : &*at;
}

session_view view_of(const state& s) {
  session_view view{.as = s.as,
                    .user = s.user,
                    .cart = s.cart,
                    .absorbed = {},
                    .created_at = s.created_at,
                    .expires_at = s.expires_at,
                    .revoked = s.status == session_status::revoked,
                    .refresh_index = s.refresh_index,
                    .untold = s.owes_user,
                    .keyless = s.orders_keyed && s.person_key.empty(),
                    .left = s.left,
                    .merging = merging_cart(s)};
  if (!s.absorb.empty()) view.absorbed.push_back(s.absorb);
  if (s.was_guest) view.absorbed.push_back(s.id.str());
  return view;
}

std::optional<timestamp_ms> wake_at(const state& s) {
  switch (s.status) {
    case session_status::unopened:
      return std::nullopt;
    case session_status::open:
      return s.expires_at;
    case session_status::revoked:
    case session_status::expired:
      if (absorbing_guest(s)) return std::nullopt;  // forgetting would lose lines
      if (s.reduced) return std::nullopt;
      return s.ended_at + forget_after;
  }
  bug("a session has one of four states");
}

bool absorbing_guest(const state& s) {
  return s.absorbing != absorb_step::none && s.absorbing != absorb_step::done;
}

}  // namespace omnicart::session
