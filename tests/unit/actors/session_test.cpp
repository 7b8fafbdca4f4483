#include <boost/test/unit_test.hpp>
#include <set>

#include "actors/session/session_kind.hpp"
#include "actors/user/user_messages.hpp"
#include "runtime/base/codec.hpp"
#include "tests/unit/actors/rule_table.hpp"

namespace omnicart::session {
namespace session_test {

static_assert(entity_kind<kind>);
using trial::number;
using subject = trial::subject<kind>;

const timestamp_ms expiry = trial::at(5000);  // subjects start at 1000
const caller mine{.as = role::guest, .session = "s1", .user = {}};
const caller users{.as = role::shopper, .session = "other", .user = "u1"};
const caller stranger{.as = role::shopper, .session = "s9", .user = "u9"};

open guest() {
  return {.as = role::guest,
          .user = {},
          .cart = cart_id{"s1"},
          .refresh_digest = "d0",
          .expires_at = expiry,
          .absorb = {},
          .user_agent = "browser",
          .id = session_id{"s1"},
          .absorb_cart = {}};
}
open login() {
  open o = guest();
  o.as = role::shopper;
  o.user = "u1";
  o.cart = cart_id{"c1"};
  return o;
}
open login_from(std::string guest_session) {
  open o = login();
  o.absorb = std::move(guest_session);
  return o;
}
template <class Change>
open but(open o, Change change) {
  change(o);
  return o;
}
refresh rotate(std::string digest, std::string successor, std::optional<std::uint32_t> index = {}) {
  return {.digest = std::move(digest),
          .successor = std::move(successor),
          .expires_at = trial::at(6000),
          .index = index};
}
std::vector<cart::new_line> some_lines() {
  return {{.product = product_id{"p1"},
           .name = "Mug",
           .quantity = 2,
           .unit_price = {.amount_minor = 450, .currency = {}},
           .list_price = true},
          {.product = product_id{"p2"},
           .name = "Jug",
           .quantity = 1,
           .unit_price = {.amount_minor = 0, .currency = {}},
           .list_price = false}};
}
session_view view(const subject& one) { return decode_reply(one.reply).value(); }

BOOST_AUTO_TEST_SUITE(session)

BOOST_AUTO_TEST_CASE(opening_is_idempotent_by_content) {
  const auto malformed = number(base_errc::malformed);
  const auto taken = number(errc::already_open);
  trial::check_table<kind>({
      {.claim = "a guest",
       .given = {},
       .command = guest(),
       .asker = trial::nobody,
       .events = "opened"},
      {.claim = "a user", .given = {}, .command = login(), .events = "opened"},
      {.claim = "again, the clock read again",
       .given = {guest()},
       .command = but(guest(), [](open& o) { o.expires_at = trial::at(7000); })},
      {.claim = "again, the password changed meanwhile",
       .given = {login()},
       .command = but(login(), [](open& o) { o.credentials = 1; })},
      {.claim = "again after a rotation",
       .given = {guest(), rotate("d0", "d1")},
       .command = guest()},
      {.claim = "again after its end", .given = {guest(), revoke{}}, .command = guest()},
      {.claim = "with another digest",
       .given = {guest()},
       .command = but(guest(), [](open& o) { o.refresh_digest = "dx"; }),
       .code = taken},
      {.claim = "with another user",
       .given = {login()},
       .command = but(login(), [](open& o) { o.user = "u2"; }),
       .code = taken},
      {.claim = "with another guest",
       .given = {login()},
       .command = login_from("g1"),
       .code = taken},
      {.claim = "without id",
       .given = {},
       .command = but(guest(), [](open& o) { o.id = {}; }),
       .code = malformed},
      {.claim = "without digest",
       .given = {},
       .command = but(guest(), [](open& o) { o.refresh_digest = {}; }),
       .code = malformed},
      {.claim = "with a digest too long",
       .given = {},
       .command = but(guest(), [](open& o) { o.refresh_digest.assign(65, 'x'); }),
       .code = malformed},
      {.claim = "as the system",
       .given = {},
       .command = but(login(), [](open& o) { o.as = role::system; }),
       .code = malformed},
      {.claim = "as an unknown role",
       .given = {},
       .command = but(login(), [](open& o) { o.as = role{7}; }),
       .code = malformed},
      {.claim = "a guest with a user",
       .given = {},
       .command = but(guest(), [](open& o) { o.user = "u1"; }),
       .code = malformed},
      {.claim = "a shopper without",
       .given = {},
       .command = but(login(), [](open& o) { o.user = {}; }),
       .code = malformed},
      {.claim = "a user without cart",
       .given = {},
       .command = but(login(), [](open& o) { o.cart = {}; }),
       .code = malformed},
      {.claim = "a guest that absorbs",
       .given = {},
       .command = but(guest(), [](open& o) { o.absorb = "g1"; }),
       .code = malformed},
      {.claim = "a session that absorbs itself",
       .given = {},
       .command = login_from("s1"),
       .code = malformed},
  });
}

BOOST_AUTO_TEST_CASE(only_an_open_session_authorizes) {
  trial::check_table<kind>({
      {.claim = "open", .given = {guest()}, .command = authorize{}, .asker = trial::nobody},
      {.claim = "to the last millisecond before its expiry",
       .given = {guest()},
       .command = authorize{},
       .later_s = 3999},
      {.claim = "never opened",
       .given = {},
       .command = authorize{},
       .code = number(errc::no_such_session)},
      {.claim = "revoked",
       .given = {guest(), revoke{}},
       .command = authorize{},
       .code = number(errc::revoked)},
      {.claim = "expired, though the timer is late",
       .given = {guest()},
       .command = authorize{},
       .code = number(errc::expired),
       .later_s = 4000},
  });
}

BOOST_AUTO_TEST_CASE(sessions_are_revoked_and_changed_by_their_owner_and_staff) {
  const auto unknown = number(errc::no_such_session);
  trial::check_table<kind>({
      {.claim = "its own holder revokes it",
       .given = {guest()},
       .command = revoke{},
       .asker = mine,
       .events = "session_revoked"},
      {.claim = "its user from another session",
       .given = {login()},
       .command = revoke{},
       .asker = users,
       .events = "session_revoked"},
      {.claim = "staff",
       .given = {login()},
       .command = revoke{},
       .asker = trial::support,
       .events = "session_revoked"},
      {.claim = "nobody else",
       .given = {login()},
       .command = revoke{},
       .asker = stranger,
       .code = unknown},
      {.claim = "a guest's is not everybody's without user",
       .given = {guest()},
       .command = revoke{},
       .asker = trial::nobody,
       .code = unknown},
      {.claim = "twice", .given = {guest(), revoke{}}, .command = revoke{}},
      {.claim = "none", .given = {}, .command = revoke{}, .code = unknown},
      {.claim = "a cart is set",
       .given = {guest()},
       .command = set_cart{cart_id{"c2"}},
       .asker = mine,
       .events = "cart_set"},
      {.claim = "the same again", .given = {guest()}, .command = set_cart{cart_id{"s1"}}},
      {.claim = "not by others",
       .given = {guest()},
       .command = set_cart{cart_id{"c2"}},
       .asker = stranger,
       .code = unknown},
      {.claim = "not none",
       .given = {guest()},
       .command = set_cart{},
       .code = number(base_errc::malformed)},
      {.claim = "not when revoked",
       .given = {guest(), revoke{}},
       .command = set_cart{cart_id{"c2"}},
       .code = number(errc::revoked)},
      {.claim = "not when expired",
       .given = {guest()},
       .command = set_cart{cart_id{"c2"}},
       .code = number(errc::expired),
       .later_s = 4000},
  });
}

BOOST_AUTO_TEST_CASE(a_guest_is_adopted_once_and_only_by_a_user) {
  const adopt by_ann{.user = "u1"};
  trial::check_table<kind>({
      {.claim = "a guest", .given = {guest()}, .command = by_ann, .events = "adopted"},
      {.claim = "again", .given = {guest(), by_ann}, .command = by_ann},
      {.claim = "by another",
       .given = {guest(), by_ann},
       .command = adopt{.user = "u2"},
       .code = number(errc::already_open)},
      {.claim = "by a person",
       .given = {guest()},
       .command = by_ann,
       .asker = trial::support,
       .code = number(base_errc::forbidden)},
      {.claim = "by no user",
       .given = {guest()},
       .command = adopt{},
       .code = number(base_errc::malformed)},
      {.claim = "never opened",
       .given = {},
       .command = by_ann,
       .code = number(errc::no_such_session)},
      {.claim = "revoked",
       .given = {guest(), revoke{}},
       .command = by_ann,
       .code = number(errc::revoked)},
      {.claim = "expired",
       .given = {guest()},
       .command = by_ann,
       .code = number(errc::expired),
       .later_s = 4000},
  });
}

BOOST_AUTO_TEST_CASE(an_adopted_guest_is_a_shopper_with_the_same_cart) {
  subject one;
  one.give(guest());
  BOOST_TEST(!one.owes("user"));
  one.give(adopt{.user = "u1"});
  BOOST_TEST((view(one).as == role::shopper));
  BOOST_TEST(view(one).user == "u1");
  BOOST_TEST((view(one).cart == cart_id{"s1"}));
  BOOST_TEST((view(one).absorbed == std::vector<std::string>{"s1"}));
  BOOST_TEST(one.owes("user"));
}

BOOST_AUTO_TEST_CASE(a_guests_first_cart_has_the_sessions_id) {
  subject one;
  one.give(but(guest(), [](open& o) { o.cart = {}; }));
  BOOST_TEST((view(one).cart == cart_id{"s1"}));
}

BOOST_AUTO_TEST_CASE(refresh_tokens_rotate_and_a_stolen_one_ends_the_family) {
  const auto bad = number(errc::bad_refresh_token);
  const std::vector<command> once = {guest(), rotate("d0", "d1")};
  const std::vector<command> twice = {guest(), rotate("d0", "d1"), rotate("d1", "d2")};
  trial::check_table<kind>({
      {.claim = "the valid token rotates",
       .given = {guest()},
       .command = rotate("d0", "d1"),
       .asker = trial::nobody,
       .events = "refreshed"},
      {.claim = "its successor too",
       .given = once,
       .command = rotate("d1", "d2"),
       .events = "refreshed"},
      {.claim = "the spent one within 30 s: a lost answer",
       .given = once,
       .command = rotate("d0", "d1"),
       .later_s = 30},
      {.claim = "the spent one later",
       .given = once,
       .command = rotate("d0", "d1"),
       .events = "session_revoked",
       .later_s = 31},
      {.claim = "a spent one whose successor was used",
       .given = twice,
       .command = rotate("d0", "d1", 0),
       .events = "session_revoked"},
      {.claim = "the same, not known to be genuine",
       .given = twice,
       .command = rotate("d0", "d1"),
       .code = bad},
      {.claim = "an unknown token", .given = once, .command = rotate("dx", "dy"), .code = bad},
      {.claim = "an unknown token with the valid number",
       .given = twice,
       .command = rotate("dx", "dy", 2),
       .code = bad},
      {.claim = "an unknown token with the last number",
       .given = twice,
       .command = rotate("dx", "dy", 1),
       .code = bad},
      {.claim = "an unknown token with a number to come",
       .given = {guest()},
       .command = rotate("dx", "dy", 9),
       .code = bad},
      {.claim = "an empty token", .given = {guest()}, .command = rotate("", "d1"), .code = bad},
      {.claim = "without successor",
       .given = {guest()},
       .command = rotate("d0", ""),
       .code = number(base_errc::malformed)},
      {.claim = "its own successor",
       .given = {guest()},
       .command = rotate("d0", "d0"),
       .code = number(base_errc::malformed)},
      {.claim = "a successor too long",
       .given = {guest()},
       .command = rotate("d0", std::string(65, 'x')),
       .code = number(base_errc::malformed)},
      {.claim = "none",
       .given = {},
       .command = rotate("d0", "d1"),
       .code = number(errc::no_such_session)},
      {.claim = "revoked",
       .given = {guest(), revoke{}},
       .command = rotate("d0", "d1"),
       .code = number(errc::revoked)},
      {.claim = "expired",
       .given = {guest()},
       .command = rotate("d0", "d1"),
       .code = number(errc::expired),
       .later_s = 4000},
  });
}

BOOST_AUTO_TEST_CASE(a_repeated_refresh_is_answered_with_the_same_successor) {
  subject one;
  one.give(guest());
  one.give(rotate("d0", "d1"));
  BOOST_TEST(view(one).refresh_index == 1u);
  BOOST_TEST((view(one).expires_at == trial::at(6000)));
  one.now += repeat_window;
  one.give(rotate("d0", "d1"));
  BOOST_TEST(view(one).refresh_index == 1u);
  BOOST_TEST(!view(one).revoked);
  one.now += duration_ms{1};
  BOOST_TEST(one.give(rotate("d0", "d1")) == 0);
  BOOST_TEST(view(one).revoked);
  BOOST_TEST(one.give(rotate("d1", "d2")) == number(errc::revoked));
}

BOOST_AUTO_TEST_CASE(a_refresh_never_shortens_a_session) {
  subject one;
  one.give(guest());
  auto early = rotate("d0", "d1");
  early.expires_at = trial::at(2000);
  one.give(early);
  BOOST_TEST((view(one).expires_at == expiry));
}

BOOST_AUTO_TEST_CASE(a_session_expires_and_is_forgotten_by_its_timer) {
  subject one;
  BOOST_TEST(!kind::wake_at(one.s).has_value());
  one.give(guest());
  BOOST_TEST((kind::wake_at(one.s) == expiry));
  BOOST_TEST(one.give(kind::wake()) == 0);
  BOOST_TEST(one.names.empty());
  one.now = expiry;
  one.give(kind::wake());
  BOOST_TEST(one.names == "session_expired");
  BOOST_TEST(one.give(revoke{}) == 0);
  BOOST_TEST(one.names.empty());
  BOOST_TEST((kind::wake_at(one.s) == expiry + forget_after));
  one.now = expiry + forget_after;
  one.give(kind::wake());
  BOOST_TEST(one.names == "forgotten");
  BOOST_TEST((one.s == state{}));
  BOOST_TEST(kind::is_blank(one.s));
  BOOST_TEST(one.give(authorize{}) == number(errc::no_such_session));
  one.check_replay();
}

BOOST_AUTO_TEST_CASE(texts_from_outside_are_cut_at_their_limits) {
  subject one;
  one.give(but(guest(), [](open& o) { o.user_agent.assign(10'000, 'x'); }));
  BOOST_TEST(one.s.user_agent.size() == user_agent_bytes_max);
  one.give(revoke{.reason = std::string(10'000, 'x')});
  BOOST_TEST(one.s.end_reason.size() == reason_bytes_max);
}

cart::wishes some_wishes() { return {{"TEN"}, {"GIFT"}, "GB", "van"}; }

answer surrendered_with(const std::vector<cart::new_line>& lines, const cart::wishes& with = {}) {
  cart::cart_view view;
  view.with = with;
  for (const auto& l : lines) {
    view.lines.push_back({.line_id = 7,
                          .product = l.product,
                          .name = l.name,
                          .quantity = l.quantity,
                          .unit_price = l.unit_price,
                          .line_total = {},
                          .list_price = l.list_price});
  }
  return {.failure = {}, .payload = codec::encode(cart::reply{view})};
}

BOOST_AUTO_TEST_CASE(a_login_owes_each_step_of_the_takeover_in_order) {
  subject one;
  one.give(login_from("g1"));
  BOOST_TEST((view(one).absorbed == std::vector<std::string>{"g1"}));
  const auto step = [&] { return kind::pending(one.s, 1).at(0); };
  BOOST_TEST((step() == effect{.key = "surrender",
                               .to = {"cart", "g1"},
                               .command = cart::encode(cart::surrender{.to = cart_id{"c1"}})}));
  BOOST_TEST(view(one).merging);
  BOOST_TEST(one.answered("surrender", surrendered_with(some_lines(), some_wishes())));
  BOOST_TEST((step() == effect{.key = "open_cart",
                               .to = {"cart", "c1"},
                               .command = cart::encode(cart::open{.session = {}, .user = "u1"})}));
  BOOST_TEST(one.give(set_cart{cart_id{"c2"}}) == 0);  // must not lead the lines astray
  BOOST_TEST(one.answered("open_cart", trial::refused(cart::errc::already_open)));
  BOOST_TEST((step() == effect{.key = "merge",
                               .to = {"cart", "c1"},
                               .command = cart::encode(cart::merge{.from = cart_id{"g1"},
                                                                   .lines = some_lines(),
                                                                   .with = some_wishes()})}));
  one.give(authorize{});
  BOOST_TEST(view(one).merging);
  BOOST_TEST(one.answered("merge", {}));
  BOOST_TEST((one.s.lines.empty() && one.s.wishes.empty()));
  one.give(authorize{});
  BOOST_TEST((!view(one).merging && view(one).left.empty()));
  BOOST_TEST((step() == effect{.key = "revoke_guest",
                               .to = {"session", "g1"},
                               .command = encode(revoke{.reason = "taken over by a login"})}));
  BOOST_TEST(one.answered("revoke_guest", trial::refused(errc::no_such_session)));
  BOOST_TEST((step() == effect{.key = "absorb",
                               .to = {"user", "u1"},
                               .command = user::encode(
                                   user::absorb_guest{.session = "g1", .keyless = true})}));
  BOOST_TEST(kind::in_progress(one.s));
  BOOST_TEST(one.answered("absorb", {}));
  BOOST_TEST(kind::in_progress(one.s));
  BOOST_TEST((step() == effect{.key = "user",
                               .to = {"user", "u1"},
                               .command = user::encode(user::session_opened{.session = "s1"})}));
  one.give(authorize{});
  BOOST_TEST(view(one).untold);
  BOOST_TEST(one.answered("user", {}));
  BOOST_TEST(kind::pending(one.s, 10).empty());
  BOOST_TEST(!kind::in_progress(one.s));
  BOOST_TEST(!view(one).untold);
}

// A login at the step of the merge.
subject merging(const std::vector<cart::new_line>& lines, const cart::wishes& with) {
  subject one;
  one.give(login_from("g1"));
  one.answered("surrender", surrendered_with(lines, with));
  one.answered("open_cart", {});
  return one;
}
answer merged_but(const cart::left_behind& left) {
  cart::cart_view view;
  view.left = left;
  return {.failure = {}, .payload = codec::encode(cart::reply{view})};
}
cart::left_behind shown_left(subject& one) {
  one.give(authorize{});
  return decode_left(view(one).left).value();
}

BOOST_AUTO_TEST_CASE(codes_and_a_shipping_choice_are_taken_over_without_lines) {
  for (const auto& with : {cart::wishes{{"TEN"}, {}, {}, {}}, cart::wishes{{}, {}, "GB", {}}}) {
    subject one = merging({}, with);
    BOOST_TEST((kind::pending(one.s, 1).at(0).command ==
                cart::encode(cart::merge{.from = cart_id{"g1"}, .lines = {}, .with = with})));
    one.reload();
    BOOST_TEST(one.answered("merge", {}));
    BOOST_TEST((one.s.absorbing == absorb_step::revoke_guest));
    one.check_replay();
  }
  subject none;
  none.give(login_from("g1"));
  none.answered("surrender", surrendered_with({}));
  BOOST_TEST((none.s.absorbing == absorb_step::revoke_guest));
}

BOOST_AUTO_TEST_CASE(what_the_merge_left_behind_is_told_until_the_session_is_refreshed_or_ends) {
  using cart::errc;
  const cart::left_behind left{{{product_id{"p1"}, "Mug", 2, {}, errc::currency_mismatch}}, 1, {}};
  subject one = merging(some_lines(), {});
  BOOST_TEST(one.answered("merge", merged_but(left)));
  BOOST_TEST((shown_left(one) == left));
  one.reload();
  BOOST_TEST((shown_left(one) == left));
  BOOST_TEST(kind::describe_state(one.s).find("Mug") == std::string::npos);
  BOOST_TEST(kind::describe_event(kind::decode_event(one.log.back()).value()).find("Mug") ==
             std::string::npos);
  one.give(rotate("d0", "d1"));
  BOOST_TEST((one.s.status == session_status::open && one.s.left.empty()));
  one.check_replay();
  subject ended = merging(some_lines(), {});
  ended.give(revoke{});
  BOOST_TEST(ended.answered("merge", merged_but(left)));
  BOOST_TEST(ended.s.left.empty());
}

BOOST_AUTO_TEST_CASE(of_a_merge_that_is_refused_all_is_told_as_left_behind) {
  subject one = merging(some_lines(), some_wishes());
  BOOST_TEST(one.answered("merge", trial::refused(cart::errc::closed)));
  const auto left = shown_left(one);
  BOOST_TEST((left.line_count == 2 && left.lines.size() == 2 && left.lines[0].quantity == 2));
  BOOST_TEST((left.codes.size() == 2 && left.codes[1].code == "GIFT"));
  BOOST_TEST((left.lines[0].why == cart::errc::closed && left.codes[0].why == cart::errc::closed));
}

BOOST_AUTO_TEST_CASE(the_guests_cart_may_be_named_and_may_be_missing) {
  subject one;
  one.give(but(login_from("g1"), [](open& o) { o.absorb_cart = cart_id{"gc"}; }));
  BOOST_TEST((kind::pending(one.s, 1).at(0).to == entity_ref{"cart", "gc"}));
  BOOST_TEST(one.answered("surrender", trial::refused(base_errc::not_found)));
  BOOST_TEST((one.s.absorbing == absorb_step::revoke_guest));
}

BOOST_AUTO_TEST_CASE(a_login_from_the_session_one_registered_in_keeps_the_cart) {
  subject one;
  one.give(but(login_from("g1"), [](open& o) { o.cart = cart_id{"g1"}; }));
  BOOST_TEST((kind::pending(one.s, 1).at(0).to == entity_ref{"session", "g1"}));
  BOOST_TEST(!one.owes("surrender"));
}

BOOST_AUTO_TEST_CASE(effects_that_may_yet_succeed_are_sent_again) {
  subject one;
  one.give(login_from("g1"));
  const auto before = kind::encode_state(one.s);
  BOOST_TEST(!one.answered("surrender", trial::refused(cart::errc::checkout_in_progress)));
  BOOST_TEST(!one.answered("surrender", trial::refused(base_errc::expired)));
  BOOST_TEST(!one.answered("surrender", {.failure = {}, .payload = "no reply"}));
  BOOST_TEST(!one.answered("no such effect", {}));
  BOOST_TEST((kind::encode_state(one.s) == before));
  BOOST_TEST(one.give(cart_surrendered{.lines = "\xC1"}) == number(base_errc::malformed));
  BOOST_TEST(one.give(cart_surrendered{.lines = {}, .wishes = "\xC1"}) ==
             number(base_errc::malformed));
}

BOOST_AUTO_TEST_CASE(a_session_of_a_user_disabled_meanwhile_ends_itself) {
  subject one;
  one.give(login());
  BOOST_TEST(one.answered("user", trial::refused(user::errc::disabled)));
  BOOST_TEST(one.give(authorize{}) == number(errc::revoked));
  BOOST_TEST(kind::pending(one.s, 10).empty());
}

BOOST_AUTO_TEST_CASE(a_session_opened_with_the_password_before_ends_itself) {
  subject one;
  one.give(but(login(), [](open& o) { o.credentials = 3; }));
  BOOST_TEST((kind::pending(one.s, 1).at(0).command ==
              user::encode(user::session_opened{.session = "s1", .credentials = 3})));
  BOOST_TEST(one.answered("user", trial::refused(user::errc::password_changed)));
  BOOST_TEST(one.s.end_reason == "password changed");
  BOOST_TEST(one.give(authorize{}) == number(errc::revoked));
}

// The world around a login: two carts, the guest session and the user, each idempotent as its
// contract says.
struct login_world {
  std::vector<cart::new_line> guest_lines = some_lines();
  std::optional<cart_id> closed_into;
  std::vector<cart::new_line> user_lines;
  cart::wishes guest_wishes = some_wishes(), user_wishes;
  const cart::left_behind left{{}, 1, {}};
  std::set<std::string> merged_from;
  bool user_cart_open = false, guest_revoked = false, guest_absorbed = false, told = false;

  answer receive(const effect& owed) {
    if (owed.key == "surrender") return surrender(owed);
    if (owed.key == "open_cart") return (user_cart_open = true), answer{};
    if (owed.key == "merge") return merge(owed);
    if (owed.key == "revoke_guest") return (guest_revoked = true), answer{};
    if (owed.key == "absorb") return (guest_absorbed = true), answer{};
    return (told = true), answer{};
  }
  answer surrender(const effect& owed) {
    const auto to =
        std::get<cart::surrender>(codec::decode<cart::command>(owed.command).value()).to;
    if (closed_into && *closed_into != to) return trial::refused(cart::errc::closed);
    closed_into = to;
    return surrendered_with(guest_lines, guest_wishes);
  }
  answer merge(const effect& owed) {
    BOOST_REQUIRE(user_cart_open && owed.to.id == closed_into->str());
    const auto what = std::get<cart::merge>(codec::decode<cart::command>(owed.command).value());
    if (!merged_from.insert(what.from.str()).second) return merged_but(left);
    user_lines.insert(user_lines.end(), what.lines.begin(), what.lines.end());
    user_wishes = what.with;
    return merged_but(left);
  }
};

void disturb(subject& one, std::mt19937& random, std::vector<command>& past) {
  switch (random() % 12) {
    case 0:
      one.reload();
      break;
    case 1:
      one.give(set_cart{cart_id{"c" + std::to_string(random() % 3)}});
      break;
    case 2:
      one.give(rotate(one.s.refresh_digest, "d" + std::to_string(random())));
      break;
    case 3:
      one.give(rotate(one.s.spent_digest, "dx"));
      break;
    case 4:
      one.give(login_from("g1"));
      break;
    case 5:
      if (random() % 8 == 0) one.give(revoke{});
      break;
    case 6:
      one.now += std::chrono::seconds{random() % 100};
      break;
    case 7:
      one.give(kind::wake());
      break;
    default:
      if (!past.empty())
        one.give(past[random() % past.size()]);  // an answer arrives twice, or late
  }
}

BOOST_AUTO_TEST_CASE(whatever_happens_on_the_way_the_guests_lines_arrive_once) {
  for (const auto seed : trial::seeds(300)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      subject one;
      login_world world;
      std::vector<command> past;
      if (random() % 4 == 0) world.guest_lines.clear();
      if (random() % 4 == 0) world.guest_wishes = {};
      one.give(login_from("g1"));
      for (int i = 0; i < 2000; ++i) {
        const auto owed = kind::pending(one.s, 32);
        if (owed.empty()) break;
        const auto& sent = owed[random() % owed.size()];
        const answer got = world.receive(sent);
        if (random() % 3 != 0) {  // else the answer is lost
          const auto next = kind::settle(one.s, sent.key, got);
          BOOST_REQUIRE(next.has_value());
          past.push_back(*next);
          one.give(*next);
        }
        disturb(one, random, past);
      }
      BOOST_REQUIRE(kind::pending(one.s, 32).empty() && !kind::in_progress(one.s));
      BOOST_REQUIRE(world.user_lines == world.guest_lines);
      BOOST_REQUIRE(world.user_wishes == world.guest_wishes);
      const bool told = one.s.status == session_status::open && !world.merged_from.empty();
      const bool refreshed = one.s.refresh_index > 0 && one.s.left.empty();
      BOOST_REQUIRE((refreshed || one.s.left == (told ? encode_left(world.left) : "")));
      BOOST_REQUIRE(one.s.absorbing == absorb_step::done);
      BOOST_REQUIRE(world.guest_revoked && world.guest_absorbed);
      BOOST_REQUIRE(world.told || one.s.status != session_status::open);
      one.reload();
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_session_is_not_forgotten_while_lines_are_on_their_way) {
  subject one;
  one.give(login_from("g1"));
  one.answered("surrender", surrendered_with(some_lines()));
  one.give(revoke{});
  BOOST_TEST(!kind::wake_at(one.s).has_value());
  BOOST_TEST(one.owes("open_cart"));
}

BOOST_AUTO_TEST_CASE(descriptions_hold_no_digest) {
  const std::string secret = "0123456789abcdef0123456789abcdef",
                    next = "fedcba9876543210fedcba9876543210";
  subject one;
  std::string shown;
  one.give(but(guest(), [&](open& o) { o.refresh_digest = secret; }));
  shown += kind::describe_state(one.s);
  one.give(rotate(secret, next));
  shown += kind::describe_state(one.s);
  for (const auto& bytes : one.log)
    shown += kind::describe_event(kind::decode_event(bytes).value());
  BOOST_TEST(shown.find(secret) == shown.npos);
  BOOST_TEST(shown.find(next) == shown.npos);
  BOOST_TEST(shown.find("(redacted)") != shown.npos);
  BOOST_TEST(one.reply.find(next) == one.reply.npos);
}

BOOST_AUTO_TEST_CASE(memory_grows_with_the_texts_held) {
  subject one;
  one.give(guest());
  const auto small = kind::memory_bytes(one.s);
  one.s.user_agent.assign(200, 'x');
  BOOST_TEST(kind::memory_bytes(one.s) >= small + 200);
}

BOOST_AUTO_TEST_CASE(stored_and_sent_bytes_stay_as_they_are) {
  subject one;
  one.give(login_from("g1"));
  const auto opened_bytes = trial::hex(one.log.at(0));
  one.give(rotate("d0", "d1"));
  BOOST_TEST(
      trial::hex(encode(login_from("g1"))) ==
      "920192009a01c4027531c4026331c4026430ce004c4b40c4026731c40762726f77736572c4027331c40000");
  BOOST_TEST(trial::hex(encode(rotate("d0", "d1", 0))) == "9201920294c4026430c4026431ce005b8d8000");
  BOOST_TEST(trial::hex(encode(cart_opened{})) == "9201920c90");
  BOOST_TEST(opened_bytes ==
             "920192009dc402733101c4027531c4026331c4026430ce004c4b40c4026731c4026731c40762726f77736"
             "572ce000f424092cfc0d3e97ab60dd8c1cf5241e18ffd1699f300c3");
  BOOST_TEST(trial::hex(one.log.at(1)) == "9201920193c4026431ce005b8d80ce000f4240");
  BOOST_TEST(trial::hex(kind::encode_event(session_revoked{.reason = "r", .at = trial::at(1)})) ==
             "9201920292c40172cd03e8");
  BOOST_TEST(trial::hex(kind::encode_event(user_told{})) == "9201920c90");
  BOOST_TEST(trial::hex(one.reply) ==
             "92019e01c4027531c402633191c4026731ce000f4240ce005b8d80c201c3c0c400c3c400c3");
  BOOST_TEST(
      trial::hex(kind::encode_state(one.s)) ==
      "9201dc001e010101c2c301c4027331c4027531c4026331c4026431c4026430ce000f4240ce000f4240ce005b8d80"
      "00c4026731c4026731c4026331c400c40762726f77736572c40092cfc0d3e97ab60dd8c1cf5241e18ffd1699f3"
      "0090c400c2c3c2c400c400");
  // As builds stored it that kept no guest's key.
  const auto older = kind::decode_state(trial::unhex(
      "9201dc0018010101c2c301c4027331c4027531c4026331c4026431c4026430ce000f4240ce000f4240ce005b8d80"
      "00c4026731c4026731c4026331c400c40762726f77736572c40092cfc0d3e97ab60dd8c1cf5241e18ffd1699f3"
      "0090"));
  state known = one.s;
  known.orders_keyed = false;  // so it may have orders that were placed without one
  BOOST_TEST((older && *older == known));
  // As builds stored and sent it that took over lines alone.
  const auto of_lines = kind::decode_state(trial::unhex(
      "9201dc001c010101c2c301c4027331c4027531c4026331c4026431c4026430ce000f4240ce000f4240ce005b8d80"
      "00c4026731c4026731c4026331c400c40762726f77736572c40092cfc0d3e97ab60dd8c1cf5241e18ffd1699f3"
      "0090c400c2c3c2"));
  BOOST_TEST((of_lines && *of_lines == one.s));
  const auto surrendered = kind::decode_event(trial::unhex("9201920791c401a7"));
  BOOST_TEST((surrendered && std::get<guest_cart_surrendered>(*surrendered).wishes.empty()));
  const auto merged = kind::decode_event(trial::unhex("9201920990"));
  BOOST_TEST((merged && std::get<guest_cart_merged>(*merged).left.empty()));
  BOOST_TEST((std::get<cart_merged>(kind::decode_command(trial::unhex("9201920790")).value()).left ==
              ""));
  const auto reply_then = decode_reply(trial::unhex(
      "92019c01c4027531c402633191c4026731ce000f4240ce005b8d80c201c3c0c400c3"));
  BOOST_TEST((reply_then && reply_then->left.empty() && !reply_then->merging));
  BOOST_TEST(trial::hex(kind::encode_event(guest_cart_surrendered{"l", "w"})) ==
             "9201920792c4016cc40177");
  BOOST_TEST(trial::hex(kind::encode_event(guest_cart_merged{"l"})) == "9201920991c4016c");
  BOOST_TEST(trial::hex(encode(cart_surrendered{"l", "w"})) == "9201920692c4016cc40177");
  BOOST_TEST(trial::hex(encode(cart_merged{"l"})) == "9201920791c4016c");
  BOOST_TEST(trial::hex(encode(keep_person_key{"k"})) == "9201920f91c4016b");
  BOOST_TEST(trial::hex(encode(read_person_key{})) == "9201921090");
  BOOST_TEST(trial::hex(encode(forget{})) == "9201921191c2");
  BOOST_TEST(trial::hex(kind::encode_event(person_key_kept{"k"})) == "9201920f91c4016b");
  BOOST_TEST(trial::hex(kind::encode_event(reduced{})) == "9201921090");
  BOOST_TEST(trial::hex(kind::encode_event(guest_orphaned{})) == "9201921190");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_session_are_refused) {
  for (const std::string_view bytes :
       {"", "\xC1", "\x92\x01\xC0", "\x92\x02\x92\x00\x90", "\x92\x01\x92\x63\x90"}) {
    BOOST_TEST(!kind::decode_command(bytes).has_value());
    BOOST_TEST(!kind::decode_event(bytes).has_value());
    BOOST_TEST(!decode_reply(bytes).has_value());
  }
}

BOOST_AUTO_TEST_CASE(every_code_has_a_name) {
  for (const auto code : {errc::already_open, errc::revoked, errc::expired, errc::bad_refresh_token,
                          errc::no_such_session, errc::hold_limit, errc::taken_over}) {
    BOOST_TEST(std::string_view(to_string(code)) != "");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace session_test
}  // namespace omnicart::session
