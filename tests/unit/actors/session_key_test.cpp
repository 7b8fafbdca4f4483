#include <boost/test/unit_test.hpp>

#include "actors/session/session_kind.hpp"
#include "actors/user/user_messages.hpp"
#include "tests/unit/actors/kind_trial.hpp"

// The key of what a guest ordered: as long as anybody may read it, and no longer.
namespace omnicart::session {
namespace session_key_test {

using trial::number;
using subject = trial::subject<kind>;

const std::string key(person_key_bytes, 'a'), other(person_key_bytes, 'b');
const timestamp_ms expiry = trial::at(5000);

open guest(const std::string& id = "g1") {
  open o;
  o.refresh_digest = "d0";
  o.expires_at = expiry;
  o.user_agent = "browser";
  o.id = session_id{id};
  return o;
}

open login() {
  open o = guest("s1");
  o.as = role::shopper;
  o.user = "u1";
  o.cart = cart_id{"c1"};
  o.absorb = "g1";
  return o;
}

std::string key_in(subject& one) {
  BOOST_TEST(one.give(read_person_key{}) == 0);
  BOOST_TEST(one.names.empty());
  return decode_reply(one.reply)->person_key;
}

void let_expire(subject& one) {
  one.now = expiry;
  BOOST_TEST(one.give(kind::wake()) == 0);
  one.now = expiry + forget_after;
  BOOST_TEST(one.give(kind::wake()) == 0);
}

BOOST_AUTO_TEST_SUITE(session_key)

BOOST_AUTO_TEST_CASE(the_first_key_stays_and_only_the_engine_has_it) {
  subject one;
  BOOST_TEST(one.give(keep_person_key{key}) == number(errc::no_such_session));
  BOOST_TEST(key_in(one).empty());
  one.give(guest());
  BOOST_TEST(one.give(keep_person_key{key}, trial::nobody) == number(base_errc::forbidden));
  BOOST_TEST(one.give(read_person_key{}, trial::support) == number(base_errc::forbidden));
  BOOST_TEST(one.give(forget{}, trial::support) == number(base_errc::forbidden));
  BOOST_TEST(one.give(keep_person_key{"short"}) == number(base_errc::malformed));
  BOOST_TEST(one.give(keep_person_key{key}) == 0);
  BOOST_TEST(one.names == "person_key_kept");
  BOOST_TEST(one.give(keep_person_key{other}) == 0);
  BOOST_TEST(one.names.empty());
  BOOST_TEST(key_in(one) == key);
  one.give(authorize{});
  BOOST_TEST(decode_reply(one.reply)->person_key.empty());
  BOOST_TEST(kind::describe_state(one.s).find("aaaa") == std::string::npos);
  BOOST_TEST(kind::describe_event(person_key_kept{key}).find("aaaa") == std::string::npos);
  one.check_replay();
}

BOOST_AUTO_TEST_CASE(a_session_that_ended_gives_no_new_key_and_keeps_the_one_it_had) {
  subject without;
  without.give(guest());
  without.give(revoke{});
  BOOST_TEST(without.give(keep_person_key{key}) == number(errc::revoked));
  subject one;
  one.give(guest());
  one.give(keep_person_key{key});
  let_expire(one);
  BOOST_TEST(one.names == "reduced");
  BOOST_TEST(!kind::is_blank(one.s));
  BOOST_TEST(!kind::wake_at(one.s).has_value());
  BOOST_TEST(one.s.user_agent.empty());
  BOOST_TEST(key_in(one) == key);
  BOOST_TEST(one.give(authorize{}) == number(errc::expired));
  one.check_replay();
}

BOOST_AUTO_TEST_CASE(who_is_forgotten_leaves_nothing_whatever_was_before) {
  for (const bool ended : {false, true}) {
    subject one;
    one.give(guest());
    one.give(keep_person_key{key});
    if (ended) let_expire(one);
    BOOST_TEST(one.give(forget{}) == 0);
    BOOST_TEST(kind::is_blank(one.s));
    BOOST_TEST((one.s == state{}));
    BOOST_TEST(key_in(one).empty());
    BOOST_TEST(one.give(keep_person_key{other}) == number(errc::no_such_session));
    BOOST_TEST(one.give(forget{}) == 0);
    BOOST_TEST(one.names.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_guest_is_forgotten_as_such_until_a_user_has_taken_the_session_over) {
  const auto taken = number(errc::taken_over);
  trial::check_table<kind>({
      {.claim = "a guest", .given = {guest(), keep_person_key{key}}, .command = forget{true}, .events = "forgotten"},
      {.claim = "one whose session ended",
       .given = {guest(), keep_person_key{key}, revoke{}},
       .command = forget{true},
       .events = "forgotten"},
      {.claim = "twice", .given = {guest(), forget{true}}, .command = forget{true}},
      {.claim = "by a person",
       .given = {guest()},
       .command = forget{true},
       .asker = trial::support,
       .code = number(base_errc::forbidden)},
      {.claim = "one who registered",
       .given = {guest(), adopt{"u1"}},
       .command = forget{true},
       .code = taken},
      {.claim = "one who registered, whose session ended",
       .given = {guest(), adopt{"u1"}, revoke{}},
       .command = forget{true},
       .code = taken},
      {.claim = "with the user they became",
       .given = {guest(), adopt{"u1"}},
       .command = forget{},
       .events = "forgotten"},
  });
  subject one;
  one.give(guest());
  one.give(adopt{"u1"});
  one.give(forget{true});
  BOOST_TEST(one.refusal.data == "u1");
}

// What the login tells the user of the guest it took over.
BOOST_AUTO_TEST_CASE(the_user_hears_that_a_guest_has_no_key_only_from_that_guests_ended_session) {
  answer no_such;
  no_such.failure = make_error(errc::no_such_session);
  answer other;
  other.failure = make_error(errc::revoked);
  const auto said_by = [](const std::vector<command>& given) {
    subject one;
    for (const auto& each : given) BOOST_TEST(one.give(each) == 0);
    return answer{.failure = {}, .payload = one.reply};
  };
  const struct {
    const char* claim;
    answer got;
    bool keyless;
  } rows[] = {
      {"one who ordered", said_by({guest(), keep_person_key{key}, revoke{}}), false},
      {"one who ordered nothing", said_by({guest(), revoke{}}), true},
      {"one who was forgotten", no_such, true},
      {"one of whom nothing was said", answer{}, false},
      {"one who would not end", other, false},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.claim) {
      subject one;
      one.give(login());
      one.give(cart_surrendered{});
      one.give(*kind::settle(one.s, "revoke_guest", row.got));
      one.reload();
      const auto owed = kind::pending(one.s, 10);
      BOOST_REQUIRE(!owed.empty());
      BOOST_TEST((owed.front().to == entity_ref{"user", "u1"}));
      const user::absorb_guest told{.session = "g1", .keyless = row.keyless};
      BOOST_TEST(owed.front().command == user::encode(told));
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_session_of_a_build_that_knew_of_no_keys_may_have_orders_without_one) {
  subject one;
  one.give(guest());
  // As that build wrote it: the last field was not there.
  std::string opened = one.log.at(0);
  BOOST_REQUIRE((opened[4] == '\x9d' && opened.back() == '\xc3'));
  opened[4] = '\x9c';
  opened.pop_back();
  const auto read = kind::decode_event(opened);
  BOOST_REQUIRE(read.has_value());
  state old;
  kind::apply(old, *read);
  BOOST_TEST((!old.orders_keyed && one.s.orders_keyed));
  BOOST_TEST((!view_of(old).keyless && view_of(one.s).keyless));
  BOOST_TEST(trial::hex(encode(guest_revoked{true})) == "9201920b91c3");
  BOOST_TEST(trial::hex(kind::encode_event(guest_session_revoked{true})) == "9201920a91c3");
  const auto revoked = kind::decode_event("\x92\x01\x92\x0a\x90");
  BOOST_REQUIRE(revoked.has_value());
  BOOST_TEST(!std::get<guest_session_revoked>(*revoked).keyless);
  const auto forgotten = kind::decode_command("\x92\x01\x92\x11\x90");
  BOOST_REQUIRE(forgotten.has_value());
  BOOST_TEST(!std::get<forget>(*forgotten).guest_only);
}

// The account has a thousand such guests: theirs stay a guest's orders.
BOOST_AUTO_TEST_CASE(a_login_ends_also_when_the_user_takes_no_further_guest) {
  subject one;
  one.give(login());
  one.give(cart_surrendered{});
  one.give(guest_revoked{});
  answer refused;
  refused.failure = make_error(user::errc::too_many_guests);
  one.give(*kind::settle(one.s, "absorb", refused));
  BOOST_TEST((one.s.absorbing == absorb_step::done));
}

// The user was erased before their login's session told them of the guest it had absorbed.
BOOST_AUTO_TEST_CASE(a_guest_whose_user_is_gone_is_forgotten_by_the_login) {
  subject one;
  one.give(login());
  one.give(cart_surrendered{});
  one.give(guest_revoked{});
  BOOST_REQUIRE((one.s.absorbing == absorb_step::tell_user));
  answer refused;
  refused.failure = make_error(user::errc::no_such_user);
  const auto heard = kind::settle(one.s, "absorb", refused);
  BOOST_REQUIRE((heard && std::holds_alternative<user_gone>(*heard)));
  one.give(*heard);
  BOOST_TEST(one.names == "guest_orphaned");
  BOOST_TEST(absorbing_guest(one.s));
  BOOST_TEST(to_string(one.s.absorbing) == "forget_guest");
  const auto owed = kind::pending(one.s, 10);
  BOOST_REQUIRE(!owed.empty());
  BOOST_TEST((owed.front().to == entity_ref{"session", "g1"}));
  BOOST_TEST(owed.front().command == encode(forget{}));
  one.give(*kind::settle(one.s, owed.front().key, answer{}));
  BOOST_TEST((one.s.absorbing == absorb_step::done));
  one.check_replay();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace session_key_test
}  // namespace omnicart::session
