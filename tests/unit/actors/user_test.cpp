#include <boost/test/unit_test.hpp>
#include <functional>
#include <set>

#include "actors/cart/cart_messages.hpp"
#include "actors/email/email_messages.hpp"
#include "actors/session/session_messages.hpp"
#include "actors/user/user_kind.hpp"
#include "tests/unit/actors/rule_table.hpp"

namespace omnicart::user {
namespace user_test {

static_assert(entity_kind<kind>);
using trial::number;
using subject = trial::subject<kind>;

const caller ann{.as = role::shopper, .session = "s1", .user = "u1"};
const caller bob{.as = role::shopper, .session = "s2", .user = "u2"};
const caller admin{.as = role::admin, .session = {}, .user = {}};

register_user plain() {
  return {.email = "ann@example.org",
          .password_hash = "$argon2id$1",
          .name = "Ann",
          .as = role::shopper,
          .guest_session = {},
          .cart = {},
          .id = user_id{"u1"}};
}
register_user from_guest() {
  register_user r = plain();
  r.guest_session = "g1";
  return r;
}
template <class Change>
register_user but(register_user r, Change change) {
  change(r);
  return r;
}
const std::vector<command> active = {plain(), email_claimed{}};
const std::vector<command> disabled = {plain(), email_claimed{}, set_disabled{}};
const std::vector<command> refused = {plain(), email_refused{}};
user_view view(const subject& one) { return decode_reply(one.reply).value(); }
subject made(const std::vector<command>& given) {
  subject one;
  for (const auto& command : given) BOOST_REQUIRE(one.give(command) == 0);
  return one;
}
order::address home() {
  return {.name = "Ann",
          .line1 = "1 High St",
          .line2 = {},
          .city = "Leeds",
          .postal_code = "LS1",
          .region = {},
          .country = "GB",
          .phone = {}};
}

BOOST_AUTO_TEST_SUITE(user)

BOOST_AUTO_TEST_CASE(registering_is_idempotent_by_content) {
  const auto malformed = number(base_errc::malformed);
  const auto conflict = number(errc::conflict);
  trial::check_table<kind>({
      {.claim = "a new user",
       .given = {},
       .command = plain(),
       .asker = trial::nobody,
       .events = "registered"},
      {.claim = "again, the password salted anew",
       .given = {plain()},
       .command = but(plain(), [](auto& r) { r.password_hash = "$2"; })},
      {.claim = "again once active", .given = active, .command = plain()},
      {.claim = "again once refused", .given = refused, .command = plain()},
      {.claim = "another address",
       .given = active,
       .command = but(plain(), [](auto& r) { r.email = "b@x"; }),
       .code = conflict},
      {.claim = "another guest", .given = {plain()}, .command = from_guest(), .code = conflict},
      {.claim = "another content once refused",
       .given = refused,
       .command = but(plain(), [](auto& r) { r.name = "B"; }),
       .code = conflict},
      {.claim = "staff by an admin",
       .given = {},
       .command = but(plain(), [](auto& r) { r.as = role::admin; }),
       .asker = admin,
       .events = "registered"},
      {.claim = "staff by nobody",
       .given = {},
       .command = but(plain(), [](auto& r) { r.as = role::support; }),
       .asker = trial::nobody,
       .code = number(base_errc::forbidden)},
      {.claim = "an admin by support",
       .given = {},
       .command = but(plain(), [](auto& r) { r.as = role::admin; }),
       .asker = trial::support,
       .code = number(base_errc::forbidden)},
      {.claim = "a guest",
       .given = {},
       .command = but(plain(), [](auto& r) { r.as = role::guest; }),
       .code = malformed},
      {.claim = "the system",
       .given = {},
       .command = but(plain(), [](auto& r) { r.as = role::system; }),
       .code = malformed},
      {.claim = "without id",
       .given = {},
       .command = but(plain(), [](auto& r) { r.id = {}; }),
       .code = malformed},
      {.claim = "without e-mail",
       .given = {},
       .command = but(plain(), [](auto& r) { r.email = {}; }),
       .code = malformed},
      {.claim = "an e-mail too long",
       .given = {},
       .command = but(plain(), [](auto& r) { r.email.assign(255, 'a'); }),
       .code = malformed},
      {.claim = "without password",
       .given = {},
       .command = but(plain(), [](auto& r) { r.password_hash = {}; }),
       .code = malformed},
      {.claim = "a hash too long",
       .given = {},
       .command = but(plain(), [](auto& r) { r.password_hash.assign(257, 'a'); }),
       .code = malformed},
      {.claim = "a bad name",
       .given = {},
       .command = but(plain(), [](auto& r) { r.name = "\xFF"; }),
       .code = number(errc::invalid_profile)},
  });
}

BOOST_AUTO_TEST_CASE(records_are_seen_by_their_owner_and_staff_once_active) {
  const auto unknown = number(errc::no_such_user);
  trial::check_table<kind>({
      {.claim = "own", .given = active, .command = get{}, .asker = ann},
      {.claim = "staff", .given = active, .command = get{}, .asker = trial::support},
      {.claim = "own, disabled", .given = disabled, .command = get{}, .asker = ann},
      {.claim = "others", .given = active, .command = get{}, .asker = bob, .code = unknown},
      {.claim = "guests",
       .given = active,
       .command = get{},
       .asker = trial::nobody,
       .code = unknown},
      {.claim = "none", .given = {}, .command = get{}, .code = unknown},
      {.claim = "registering", .given = {plain()}, .command = get{}, .code = unknown},
      {.claim = "refused", .given = refused, .command = get{}, .code = unknown},
      {.claim = "credentials", .given = active, .command = credentials{}, .asker = trial::nobody},
      {.claim = "credentials of one disabled", .given = disabled, .command = credentials{}},
      {.claim = "credentials while registering",
       .given = {plain()},
       .command = credentials{},
       .code = unknown},
  });
}

BOOST_AUTO_TEST_CASE(owner_and_staff_change_profile_and_password) {
  const auto unknown = number(errc::no_such_user);
  const update_profile anna{
      {.name = "Anna", .phone = "1", .addresses = {home()}, .notifications = {{"orders", true}}}};
  const change_password fresh{"$argon2id$2"};
  trial::check_table<kind>({
      {.claim = "own profile",
       .given = active,
       .command = anna,
       .asker = ann,
       .events = "profile_updated"},
      {.claim = "the same again",
       .given = {plain(), email_claimed{}, anna},
       .command = anna,
       .asker = ann},
      {.claim = "another's profile",
       .given = active,
       .command = anna,
       .asker = bob,
       .code = unknown},
      {.claim = "no profile", .given = {}, .command = anna, .code = unknown},
      {.claim = "disabled, own",
       .given = disabled,
       .command = anna,
       .asker = ann,
       .code = number(errc::disabled)},
      {.claim = "disabled, staff",
       .given = disabled,
       .command = anna,
       .asker = trial::support,
       .events = "profile_updated"},
      {.claim = "a bad one",
       .given = active,
       .command = update_profile{{.name = "a\nb"}},
       .asker = ann,
       .code = number(errc::invalid_profile)},
      {.claim = "own password",
       .given = active,
       .command = fresh,
       .asker = ann,
       .events = "password_changed"},
      {.claim = "the same hash",
       .given = {plain(), email_claimed{}, fresh},
       .command = fresh,
       .asker = ann},
      {.claim = "another's password",
       .given = active,
       .command = fresh,
       .asker = bob,
       .code = unknown},
      {.claim = "disabled, own password",
       .given = disabled,
       .command = fresh,
       .asker = ann,
       .code = number(errc::disabled)},
      {.claim = "no hash",
       .given = active,
       .command = change_password{},
       .asker = ann,
       .code = number(base_errc::malformed)},
      {.claim = "a hash too long",
       .given = active,
       .command = change_password{std::string(257, 'x')},
       .asker = ann,
       .code = number(base_errc::malformed)},
  });
}

BOOST_AUTO_TEST_CASE(accounts_sessions_and_absorbed_guests_keep_their_rules) {
  const auto forbidden = number(base_errc::forbidden);
  const auto malformed = number(base_errc::malformed);
  const auto unknown = number(errc::no_such_user);
  trial::check_table<kind>({
      {.claim = "staff disable",
       .given = active,
       .command = set_disabled{},
       .asker = admin,
       .events = "disabled_set"},
      {.claim = "twice", .given = disabled, .command = set_disabled{}},
      {.claim = "and enable",
       .given = disabled,
       .command = set_disabled{false},
       .events = "disabled_set"},
      {.claim = "what was not disabled", .given = active, .command = set_disabled{false}},
      {.claim = "nobody else does",
       .given = active,
       .command = set_disabled{},
       .asker = ann,
       .code = forbidden},
      {.claim = "no user", .given = {}, .command = set_disabled{}, .code = unknown},
      {.claim = "a login absorbs",
       .given = active,
       .command = absorb_guest{"g1"},
       .events = "guest_absorbed"},
      {.claim = "twice",
       .given = {plain(), email_claimed{}, absorb_guest{"g1"}},
       .command = absorb_guest{"g1"}},
      {.claim = "a person cannot",
       .given = active,
       .command = absorb_guest{"g1"},
       .asker = ann,
       .code = forbidden},
      {.claim = "nothing", .given = active, .command = absorb_guest{}, .code = malformed},
      {.claim = "for nobody", .given = {}, .command = absorb_guest{"g1"}, .code = unknown},
      {.claim = "a session opens",
       .given = active,
       .command = session_opened{"s1"},
       .events = "session_noted"},
      {.claim = "twice",
       .given = {plain(), email_claimed{}, session_opened{"s1"}},
       .command = session_opened{"s1"}},
      {.claim = "a person cannot say so",
       .given = active,
       .command = session_opened{"s1"},
       .asker = ann,
       .code = forbidden},
      {.claim = "none", .given = active, .command = session_opened{}, .code = malformed},
      {.claim = "of nobody", .given = {}, .command = session_opened{"s1"}, .code = unknown},
      {.claim = "of one disabled",
       .given = disabled,
       .command = session_opened{"s1"},
       .code = number(errc::disabled)},
      {.claim = "with the password before",
       .given = {plain(), email_claimed{}, change_password{"$2"}},
       .command = session_opened{"s1"},
       .code = number(errc::password_changed)},
      {.claim = "with the new one",
       .given = {plain(), email_claimed{}, change_password{"$2"}},
       .command = session_opened{"s1", 1},
       .events = "session_noted"},
      {.claim = "an answer nobody waits for", .given = active, .command = session_revoked{"s1"}},
      {.claim = "a claim settled twice", .given = active, .command = email_refused{}},
      {.claim = "a step not owed", .given = active, .command = guest_adopted{.step = 1}},
      {.claim = "a step there is not",
       .given = {from_guest(), email_claimed{}},
       .command = guest_adopted{.step = 3}},
      {.claim = "a step too early", .given = {from_guest()}, .command = guest_adopted{.step = 1}},
      {.claim = "the timer it never set", .given = active, .command = wake{}},
  });
}

BOOST_AUTO_TEST_CASE(only_credentials_answer_with_the_hash) {
  subject one = made(active);
  for (const command& c : std::vector<command>{plain(), get{}, update_profile{{.name = "B"}},
                                               change_password{"$argon2id$9"}, set_disabled{}}) {
    one.give(c);
    BOOST_TEST(view(one).password_hash.empty());
    BOOST_TEST(one.reply.find("argon2id") == one.reply.npos);
  }
  one.give(credentials{});
  BOOST_TEST(view(one).password_hash == "$argon2id$9");
  BOOST_TEST((view(one).status == user_status::disabled));
}

BOOST_AUTO_TEST_CASE(registration_claims_the_address_before_anything_else) {
  subject one = made({from_guest()});
  BOOST_TEST(kind::in_progress(one.s));
  BOOST_TEST((kind::pending(one.s, 9) ==
              std::vector<effect>{{.key = "email",
                                   .to = email::entity_for("ann@example.org"),
                                   .command = email::encode(email::claim{
                                       .address = "ann@example.org", .user = user_id{"u1"}})}}));
  BOOST_TEST(!one.answered("email", trial::refused(base_errc::expired)));
  BOOST_TEST(one.answered("email", {}));
  BOOST_TEST((view(one).status == user_status::active));
  BOOST_TEST((view(one).absorbed == std::vector<std::string>{"g1"}));
  BOOST_TEST(kind::in_progress(one.s));
  BOOST_TEST((kind::pending(one.s, 9) ==
              std::vector<effect>{{.key = "guest_session",
                                   .to = {"session", "g1"},
                                   .command = session::encode(session::adopt{.user = "u1"})},
                                  {.key = "guest_cart",
                                   .to = {"cart", "g1"},
                                   .command = cart::encode(cart::assign{.user = "u1"})}}));
  BOOST_TEST(kind::pending(one.s, 1).size() == 1u);
  BOOST_TEST(one.answered("guest_session", trial::refused(session::errc::expired)));
  BOOST_TEST(!one.answered("guest_cart", trial::refused(cart::errc::checkout_in_progress)));
  BOOST_TEST(one.answered("guest_cart", {}));
  BOOST_TEST(!kind::in_progress(one.s));
  BOOST_TEST((view(one).cart == cart_id{"g1"}));
}

BOOST_AUTO_TEST_CASE(a_taken_address_refuses_the_user_for_good_and_keeps_no_password) {
  subject one = made({from_guest()});
  BOOST_TEST(one.answered("email", trial::refused(email::errc::taken)));
  BOOST_TEST((view(one).status == user_status::refused));
  BOOST_TEST(one.s.password_hash.empty());
  BOOST_TEST(kind::pending(one.s, 9).empty());
  BOOST_TEST(!kind::in_progress(one.s));
}

BOOST_AUTO_TEST_CASE(a_guest_cart_that_became_somebody_elses_is_not_the_users) {
  for (const auto code : {cart::errc::closed, cart::errc::already_open}) {
    subject one = made({from_guest(), email_claimed{}});
    BOOST_TEST(one.answered("guest_cart", trial::refused(code)));
    BOOST_TEST((view(one).cart == cart_id{"u1"}));
  }
  subject unopened = made({from_guest(), email_claimed{}});
  BOOST_TEST(unopened.answered("guest_cart", trial::refused(base_errc::not_found)));
  BOOST_TEST((view(unopened).cart == cart_id{"g1"}));
}

BOOST_AUTO_TEST_CASE(the_cart_is_the_named_one_or_the_guests_or_the_users) {
  BOOST_TEST((made({plain()}).s.cart == cart_id{"u1"}));
  BOOST_TEST((made({from_guest()}).s.cart == cart_id{"g1"}));
  BOOST_TEST(
      (made({but(from_guest(), [](auto& r) { r.cart = cart_id{"c7"}; })}).s.cart == cart_id{"c7"}));
}

BOOST_AUTO_TEST_CASE(disabling_revokes_every_session) {
  subject one = made({plain(), email_claimed{}, session_opened{"s1"}, session_opened{"s2"}});
  BOOST_TEST((view(one).sessions == std::vector<std::string>{"s1", "s2"}));
  one.give(set_disabled{});
  BOOST_TEST(kind::in_progress(one.s));
  const auto owed = kind::pending(one.s, 9);
  BOOST_TEST(
      (owed == std::vector<effect>{
                   {.key = "revoke/s1",
                    .to = {"session", "s1"},
                    .command = session::encode(session::revoke{.reason = "user disabled"})},
                   {.key = "revoke/s2",
                    .to = {"session", "s2"},
                    .command = session::encode(session::revoke{.reason = "user disabled"})}}));
  BOOST_TEST(one.answered("revoke/s1", trial::refused(session::errc::no_such_session)));
  one.give(set_disabled{false});
  BOOST_TEST(one.owes("revoke/s2"));
  BOOST_TEST(one.answered("revoke/s2", {}));
  BOOST_TEST(!kind::in_progress(one.s));
  BOOST_TEST(!one.answered("no such effect", {}));
}

BOOST_AUTO_TEST_CASE(a_new_password_revokes_every_session_but_the_askers) {
  const std::vector<std::string> three = {"s1", "s2", "s3"};
  const struct {
    const char* claim;
    caller by;
    std::vector<std::string> noted, kept, revoked;
  } rows[] = {
      {"the user's", ann, three, {"s1"}, {"s2", "s3"}},
      {"from a session the user was not told of yet", ann, {"s2"}, {"s1"}, {"s2"}},
      {"alone", ann, {"s1"}, {"s1"}, {}},
      {"the staff's", admin, three, {}, three},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.claim) {
      subject one = made(active);
      for (const auto& session : row.noted) one.give(session_opened{session});
      BOOST_TEST(one.give(change_password{"$2"}, row.by) == 0);
      BOOST_TEST(view(one).sessions == row.kept, boost::test_tools::per_element());
      BOOST_TEST(view(one).ending == row.revoked.size());
      BOOST_TEST(kind::in_progress(one.s) == !row.revoked.empty());
      one.reload();
      for (const auto& session : row.revoked) BOOST_TEST(one.owes("revoke/" + session));
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_new_password_counts_and_a_repeated_one_does_not) {
  subject one = made({plain(), email_claimed{}, change_password{"$2"}, change_password{"$2"}});
  BOOST_TEST(view(one).credentials == 1u);
  one.give(change_password{"$3"});
  BOOST_TEST(view(one).credentials == 2u);
}

BOOST_AUTO_TEST_CASE(a_guest_session_that_joined_is_listed_at_once_and_one_that_ended_is_not) {
  for (const bool ended : {false, true}) {
    subject one = made({from_guest(), email_claimed{}});
    BOOST_TEST(
        one.answered("guest_session", ended ? trial::refused(session::errc::revoked) : answer{}));
    BOOST_TEST(view(one).sessions.size() == (ended ? 0u : 1u));
    BOOST_TEST(one.give(session_opened{"g1"}) == 0);  // as it says itself
    BOOST_TEST(view(one).sessions.size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(what_the_first_builds_stored_reads_as_it_did) {
  subject one = made({from_guest(), email_claimed{}, session_opened{"s1"}});
  const auto read = [](std::string_view hex) {
    return kind::decode_event(trial::unhex(hex)).value();
  };
  kind::apply(one.s, read("9201920591c4022432"));  // a password change, without more
  BOOST_TEST(
      (one.s.password_hash == "$2" && one.s.credentials == 0u && one.s.sessions.size() == 1u));
  kind::apply(one.s, read("920192039201c2"));  // the session's step
  BOOST_TEST((one.s.guest_steps == cart_step && one.s.sessions.size() == 1u));
}

BOOST_AUTO_TEST_CASE(lists_have_limits_and_keep_the_newest) {
  subject one = made(active);
  for (std::size_t i = 0; i <= absorbed_max; ++i)
    one.give(absorb_guest{"g" + std::to_string(i), true});
  BOOST_TEST(one.s.absorbed.size() == absorbed_max);
  BOOST_TEST(one.s.absorbed.front() == "g1");
  for (std::size_t i = 0; i <= sessions_max; ++i) one.give(session_opened{"s" + std::to_string(i)});
  BOOST_TEST(one.s.sessions.size() == sessions_max);
  BOOST_TEST(one.owes("revoke/s0"));
  for (std::size_t i = sessions_max + 1; one.s.revocations.size() < revocations_max; ++i) {
    BOOST_TEST(one.give(session_opened{"s" + std::to_string(i)}) == 0);
  }
  BOOST_TEST(one.give(session_opened{"one more"}) == number(base_errc::overloaded));
  BOOST_TEST(one.give(set_disabled{}) == 0);
  BOOST_TEST(kind::pending(one.s, 32).size() == 32u);
  one.check_replay();
}

BOOST_AUTO_TEST_CASE(a_profile_keeps_its_limits_and_the_refusal_names_the_member) {
  struct bad_row {
    std::string pointer;
    std::function<void(profile&)> change;
  };
  const profile good{.name = std::string(200, 'a'),
                     .phone = std::string(40, '1'),
                     .addresses = std::vector(20, home()),
                     .notifications = {{"orders", true}, {"news", false}}};
  BOOST_TEST(validate(good).has_value());
  BOOST_TEST(validate(profile{}).has_value());
  const auto in = [](auto member, std::string value) {
    return [=](profile& p) { p.addresses[3].*member = value; };
  };
  using order::address;
  const std::vector<bad_row> rows = {
      {"/name", [](profile& p) { p.name += "a"; }},
      {"/name", [](profile& p) { p.name = "\xC3"; }},
      {"/name", [](profile& p) { p.name = std::string(1, '\0'); }},
      {"/phone", [](profile& p) { p.phone += "1"; }},
      {"/addresses", [](profile& p) { p.addresses.push_back(home()); }},
      {"/addresses/3/name", in(&address::name, std::string(201, 'x'))},
      {"/addresses/3/line1", in(&address::line1, std::string(201, 'x'))},
      {"/addresses/3/line2", in(&address::line2, "\n")},
      {"/addresses/3/city", in(&address::city, std::string(201, 'x'))},
      {"/addresses/3/postal_code", in(&address::postal_code, "\xFF")},
      {"/addresses/3/region", in(&address::region, std::string(201, 'x'))},
      {"/addresses/3/phone", in(&address::phone, std::string(201, 'x'))},
      {"/addresses/3/country", in(&address::country, "gb")},
      {"/addresses/3/country", in(&address::country, "GBR")},
      {"/addresses/3/country", in(&address::country, "")},
      {"/notifications", [](profile& p) { p.notifications.resize(51); }},
      {"/notifications/1", [](profile& p) { p.notifications[1].first = ""; }},
      {"/notifications/1", [](profile& p) { p.notifications[1].first = "orders"; }},
      {"/notifications/1", [](profile& p) { p.notifications[1].first.assign(65, 'x'); }},
  };
  for (const auto& row : rows) {
    profile p = good;
    row.change(p);
    const auto got = validate(p);
    BOOST_REQUIRE(!got.has_value());
    BOOST_TEST(got.error().is(errc::invalid_profile));
    BOOST_TEST(got.error().data == row.pointer);
  }
}

// The world around a registration; answers as the contracts of session, cart and address claim say.
struct registration_world {
  std::string address_owner;
  std::string guest_user, cart_user;
  std::set<std::string> revoked;

  answer receive(const effect& owed) {
    if (owed.key == "email") {
      if (address_owner.empty()) address_owner = "u1";
      return address_owner == "u1" ? answer{} : trial::refused(email::errc::taken);
    }
    if (owed.key == "guest_session") return (guest_user = "u1"), answer{};
    if (owed.key == "guest_cart") return (cart_user = "u1"), answer{};
    revoked.insert(owed.to.id);
    return {};
  }
};

void disturb(subject& one, std::mt19937& random, std::vector<command>& past, int step) {
  switch (random() % 10) {
    case 0:
      one.reload();
      break;
    case 1:
      one.give(from_guest());
      break;
    case 2:
      one.give(session_opened{"s" + std::to_string(step)});
      break;
    case 3:
      one.give(set_disabled{random() % 2 == 0});
      break;
    case 4:
      one.give(absorb_guest{"g" + std::to_string(step)});
      break;
    case 5:
      one.give(update_profile{{.name = std::to_string(step)}});
      break;
    case 6:
      one.give(change_password{"$" + std::to_string(step)}, random() % 2 == 0 ? ann : admin);
      break;
    default:
      if (!past.empty())
        one.give(past[random() % past.size()]);  // an answer arrives twice, or late
  }
}

void drive(subject& one, registration_world& world, std::mt19937& random) {
  std::vector<command> past;
  for (int i = 0; i < 4000; ++i) {
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
    disturb(one, random, past, i);
  }
}

BOOST_AUTO_TEST_CASE(whatever_happens_on_the_way_a_registration_ends_whole_or_refused) {
  for (const auto seed : trial::seeds(300)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      subject one;
      registration_world world;
      if (random() % 4 == 0) world.address_owner = "somebody";
      one.give(from_guest());
      drive(one, world, random);
      BOOST_REQUIRE(kind::pending(one.s, 32).empty() && !kind::in_progress(one.s));
      const bool owner = world.address_owner == "u1";
      BOOST_REQUIRE((one.s.status == user_status::refused) == !owner);
      BOOST_REQUIRE((world.guest_user == "u1") == owner && (world.cart_user == "u1") == owner);
      for (const auto& session : one.s.sessions) BOOST_REQUIRE(!world.revoked.contains(session));
      one.reload();
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(descriptions_hold_no_password_hash) {
  subject one = made({plain(), email_claimed{}, change_password{"$argon2id$2"}});
  std::string shown = kind::describe_state(one.s);
  for (const auto& bytes : one.log)
    shown += kind::describe_event(kind::decode_event(bytes).value());
  BOOST_TEST(shown.find("argon2id") == shown.npos);
  BOOST_TEST(shown.find("(redacted)") != shown.npos);
  BOOST_TEST(shown.find("ann@example.org") != shown.npos);
}

BOOST_AUTO_TEST_CASE(memory_grows_with_the_texts_held) {
  subject one = made(active);
  const auto small = kind::memory_bytes(one.s);
  one.give(update_profile{
      {.name = {}, .phone = {}, .addresses = std::vector(20, home()), .notifications = {}}});
  BOOST_TEST(kind::memory_bytes(one.s) >= small + 20 * sizeof(order::address));
}

BOOST_AUTO_TEST_CASE(stored_and_sent_bytes_stay_as_they_are) {
  subject one = made({from_guest(), email_claimed{}});
  BOOST_TEST(trial::hex(encode(from_guest())) ==
             "9201920097c40f616e6e406578616d706c652e6f7267c40b246172676f6e3269642431c403416e6e01c40"
             "26731c400c4027531");
  BOOST_TEST(
      trial::hex(encode(update_profile{
          {.name = "A", .phone = "1", .addresses = {home()}, .notifications = {{"n", true}}}})) ==
      "920192069194c40141c401319198c403416e6ec409312048696768205374c400c4054c65656473c4034c5331c400"
      "c4024742c4009192c4016ec3");
  BOOST_TEST(trial::hex(encode(session_revoked{"s1"})) == "9201920c91c4027331");
  BOOST_TEST(trial::hex(one.log.at(0)) ==
             "9201920099c4027531c40f616e6e406578616d706c652e6f7267c40b246172676f6e3269642431c403416"
             "e6e01c4026731c4026731ce000f424092cfa7f611100bb4a5cecf89914a0c5548e5bd");
  BOOST_TEST(trial::hex(one.log.at(1)) == "9201920190");
  BOOST_TEST(trial::hex(kind::encode_event(session_dropped{"s1"})) == "9201920991c4027331");
  BOOST_TEST(
      trial::hex(kind::encode_state(one.s)) ==
      "9201dc0014020103c4027531c40f616e6e406578616d706c652e6f7267c40b246172676f6e326964243194c403416e"
      "6ec4009090c4026731c4026731ce000f424091c4026731909092cfa7f611100bb4a5cecf89914a0c5548e5bd0090c4"
      "00c29090");
  BOOST_TEST(trial::hex(one.reply) ==
             "92019e02c40f616e6e406578616d706c652e6f72670194c403416e6ec4009090c402673191c4026731ce0"
             "00f4240c400900000c2c400c2");
  // As builds stored it that knew of no tickets and no keys.
  const auto older = kind::decode_state(trial::unhex(
      "92019f020103c4027531c40f616e6e406578616d706c652e6f7267c40b246172676f6e326964243194c403416e6e"
      "c4009090c4026731c4026731ce000f424091c4026731909092cfa7f611100bb4a5cecf89914a0c5548e5bd00"));
  BOOST_TEST((older && *older == one.s));
  BOOST_TEST(trial::hex(encode(erase{})) == "9201921090");
  BOOST_TEST(trial::hex(encode(guest_forgotten{"g"})) == "9201921291c40167");
  BOOST_TEST(trial::hex(kind::encode_event(guest_dropped{"g"})) == "9201920f91c40167");
  BOOST_TEST(trial::hex(encode(cart_forgotten{})) == "9201921390");
  BOOST_TEST(trial::hex(kind::encode_event(cart_dropped{})) == "9201921090");
  BOOST_TEST(trial::hex(encode(keep_person_key{"k"})) == "9201920f91c4016b");
  BOOST_TEST(trial::hex(kind::encode_event(erasure_begun{})) == "9201920d90");
  BOOST_TEST(trial::hex(kind::encode_event(ticket_redeemed{ticket_purpose::confirm_email})) ==
             "9201920b9101");
}

// --- tickets, the key of personal data, erasure

caller engine() {
  caller self;
  self.as = role::system;
  return self;
}

// An active user to whom commands are given at a time and by somebody.
struct account {
  state s = made(active).s;
  timestamp_ms now{duration_ms{2'000'000}};

  error_number give(const command& what, const caller& by = engine()) {
    const auto got = decide(s, what, {.now = now, .command = {}, .asker = by});
    if (!got) return got.error().number;
    for (const auto& each : *got) {
      apply(s, each);
      check_full(s);
    }
    return 0;
  }
  issue_ticket ticket(const std::string& digest,
                      ticket_purpose purpose = ticket_purpose::reset_password) {
    return {.purpose = purpose, .digest = digest, .expires_at = now + duration_ms{1'000}};
  }
};

redeem_ticket with(const std::string& digest,
                   ticket_purpose purpose = ticket_purpose::reset_password) {
  return {.purpose = purpose, .digest = digest, .password_hash = "$argon2id$2"};
}

BOOST_FIXTURE_TEST_CASE(a_ticket_resets_the_password_once_and_ends_every_session, account) {
  BOOST_TEST(give(session_opened{"s1", 0}) == 0);
  BOOST_TEST(give(ticket("d1")) == 0);
  BOOST_TEST(give(with("other")) == number(errc::invalid_ticket));
  BOOST_TEST(give(with("d1", ticket_purpose::confirm_email)) == number(errc::invalid_ticket));
  BOOST_TEST(give(with("d1")) == 0);
  BOOST_TEST((s.password_hash == "$argon2id$2" && s.credentials == 1U && s.email_confirmed));
  BOOST_TEST((s.sessions.empty() && s.revocations == std::vector<std::string>{"s1"}));
  BOOST_TEST(give(with("d1")) == number(errc::invalid_ticket));
}

BOOST_FIXTURE_TEST_CASE(only_the_newest_ticket_of_a_purpose_counts_and_not_for_long, account) {
  BOOST_TEST(give(ticket("d1")) == 0);
  BOOST_TEST(give(ticket("d2")) == 0);
  BOOST_TEST(give(ticket("c1", ticket_purpose::confirm_email)) == 0);
  BOOST_TEST(s.tickets.size() == 2U);
  BOOST_TEST(give(with("d1")) == number(errc::invalid_ticket));
  now += duration_ms{1'000};
  BOOST_TEST(give(with("d2")) == number(errc::invalid_ticket));
  BOOST_TEST(give(ticket("d3")) == 0);
  redeem_ticket without_hash = with("d3");
  without_hash.password_hash.clear();
  BOOST_TEST(give(without_hash) == number(base_errc::malformed));
  BOOST_TEST(give(set_disabled{true}, admin) == 0);
  BOOST_TEST(give(with("d3")) == number(errc::disabled));
  BOOST_TEST(give(ticket("d4")) == number(errc::disabled));
}

BOOST_FIXTURE_TEST_CASE(tickets_and_keys_are_the_engines, account) {
  BOOST_TEST(give(ticket("d1"), ann) == number(base_errc::forbidden));
  BOOST_TEST(give(keep_person_key{std::string(64, 'a')}, ann) == number(base_errc::forbidden));
  BOOST_TEST(give(ticket("")) == number(base_errc::malformed));
  BOOST_TEST(give(keep_person_key{"short"}) == number(base_errc::malformed));
  BOOST_TEST(give(keep_person_key{std::string(64, 'a')}) == 0);
  BOOST_TEST(give(keep_person_key{std::string(64, 'b')}) == 0);
  BOOST_TEST(s.person_key == std::string(64, 'a'));
  const std::string shown = kind::describe_state(s);
  BOOST_TEST(shown.find("aaaa") == shown.npos);
}

BOOST_FIXTURE_TEST_CASE(an_erased_user_leaves_nothing_once_sessions_and_address_are_given_back,
                        account) {
  BOOST_TEST(give(session_opened{"s1", 0}) == 0);
  BOOST_TEST(give(absorb_guest{"g1"}) == 0);
  BOOST_TEST(give(keep_person_key{std::string(64, 'a')}) == 0);
  caller support;
  support.as = role::support;
  BOOST_TEST(give(erase{}, bob) == number(errc::no_such_user));
  BOOST_TEST(give(erase{}, support) == number(base_errc::forbidden));
  BOOST_TEST(give(erase{}, ann) == 0);
  BOOST_TEST(
      (s.status == user_status::erasing && s.person_key.empty() && s.password_hash.empty()));
  BOOST_TEST((s.details == profile{}));
  BOOST_TEST(kind::in_progress(s));
  BOOST_TEST(give(get{}, ann) == number(errc::no_such_user));
  const auto owed = kind::pending(s, 10);
  BOOST_TEST(owed.size() == 3U);
  BOOST_TEST((owed.at(0).to == email::entity_for("ann@example.org")));
  BOOST_TEST((owed.at(1).to == entity_ref{"session", "s1"}));
  // The guest they had been, with the key of what they ordered then.
  BOOST_TEST((owed.at(2).to == entity_ref{"session", "g1"}));
  BOOST_TEST(owed.at(2).command == session::encode(session::forget{}));
  BOOST_TEST(give(guest_forgotten{"another"}) == 0);
  BOOST_TEST((s.absorbed == std::vector<std::string>{"g1"}));
  for (const auto& each : owed) {
    const auto next = kind::settle(s, each.key, answer{});
    BOOST_REQUIRE(next.has_value());
    BOOST_TEST(give(*next) == 0);
  }
  // The cart at last: none of the sessions can fill it again.
  const auto rest = kind::pending(s, 10);
  BOOST_REQUIRE(rest.size() == 1U);
  BOOST_TEST((rest.at(0).to == entity_ref{"cart", "u1"}));
  BOOST_TEST(rest.at(0).command == cart::encode(cart::forget{.user = "u1"}));
  BOOST_TEST(kind::in_progress(s));
  BOOST_TEST(give(kind::settle(s, rest.at(0).key, answer{}).value()) == 0);
  BOOST_TEST(give(cart_forgotten{}) == 0);
  BOOST_TEST((s == state{}));
  BOOST_TEST(kind::is_blank(s));
  BOOST_TEST(!kind::in_progress(s));
}

BOOST_AUTO_TEST_CASE(every_code_and_status_has_a_name) {
  for (const auto code : {errc::email_taken, errc::no_such_user, errc::disabled, errc::conflict,
                          errc::invalid_profile, errc::password_changed, errc::invalid_ticket,
                          errc::too_many_guests}) {
    BOOST_TEST(std::string_view(to_string(code)) != "");
  }
  BOOST_TEST(to_string(user_status::unregistered) == "unregistered");
  BOOST_TEST(to_string(user_status::refused) == "refused");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace user_test
}  // namespace omnicart::user
