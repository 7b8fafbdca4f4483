#include <boost/test/unit_test.hpp>
#include <set>

#include "actors/session/session_messages.hpp"
#include "actors/user/user_kind.hpp"
#include "tests/unit/actors/rule_table.hpp"

// The guest sessions that count as a user: none with a key is forgotten before its key is destroyed.
namespace omnicart::user {
namespace user_guests_test {

using trial::number;
using subject = trial::subject<kind>;

const caller ann{.as = role::shopper, .session = "s1", .user = "u1"};
const caller bob{.as = role::shopper, .session = "s2", .user = "u2"};
const caller admin{.as = role::admin, .session = {}, .user = {}};

std::string guest(std::size_t n) { return "g" + std::to_string(n); }

const std::vector<command> active = {register_user{.email = "ann@example.org",
                                                   .password_hash = "$1",
                                                   .name = "Ann",
                                                   .as = role::shopper,
                                                   .guest_session = "g0",
                                                   .cart = {},
                                                   .id = user_id{"u1"}},
                                     email_claimed{}, guest_adopted{.step = session_step},
                                     guest_adopted{.step = cart_step}};

std::vector<command> after(std::vector<command> more) {
  std::vector<command> all = active;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// With `keyed` guests more, behind that of the registration, and then so many without a key.
std::vector<command> with_guests(std::size_t keyed, std::size_t keyless = 0) {
  std::vector<command> more;
  for (std::size_t i = 1; i <= keyed; ++i) more.push_back(absorb_guest{guest(i), false});
  for (std::size_t i = 1; i <= keyless; ++i) more.push_back(absorb_guest{"k" + guest(i), true});
  return after(std::move(more));
}

subject made(const std::vector<command>& given) {
  subject one;
  for (const auto& command : given) BOOST_REQUIRE(one.give(command) == 0);
  return one;
}

std::set<std::string> guests_of(subject& one) {
  BOOST_REQUIRE(one.give(get{}) == 0);
  const auto list = decode_reply(one.reply).value().absorbed;
  std::set<std::string> all(list.begin(), list.end());
  BOOST_REQUIRE(all.size() == list.size());
  return all;
}

// Answers all that is owed; the sessions that were forgotten.
std::set<std::string> erased(subject& one) {
  BOOST_REQUIRE(one.give(erase{}, ann) == 0);
  std::set<std::string> forgotten;
  for (auto owed = kind::pending(one.s, 32); !owed.empty(); owed = kind::pending(one.s, 32)) {
    for (const auto& each : owed) {
      if (each.command == session::encode(session::forget{})) forgotten.insert(each.to.id);
      BOOST_REQUIRE(one.answered(each.key, {}));
    }
  }
  BOOST_TEST(kind::is_blank(one.s));
  return forgotten;
}

BOOST_AUTO_TEST_SUITE(user_guests)

BOOST_AUTO_TEST_CASE(who_has_a_key_is_absorbed_until_there_are_a_thousand_and_who_has_none_if_there_is_room) {
  trial::check_table<kind>({
      {.claim = "one without a key",
       .given = active,
       .command = absorb_guest{"g1", true},
       .events = "guest_absorbed"},
      {.claim = "again",
       .given = after({absorb_guest{"g1", true}}),
       .command = absorb_guest{"g1", true}},
      {.claim = "again, as builds said it that told nothing of keys",
       .given = after({absorb_guest{"g1", true}}),
       .command = absorb_guest{"g1"}},
      {.claim = "one with a key, beyond a hundred",
       .given = with_guests(120),
       .command = absorb_guest{"more"},
       .events = "guest_absorbed"},
      {.claim = "the oldest of them again", .given = with_guests(120), .command = absorb_guest{"g1"}},
      {.claim = "one without a key beside a hundred with one",
       .given = with_guests(99),
       .command = absorb_guest{"more", true}},
      {.claim = "one without a key in the place of another",
       .given = with_guests(98, 1),
       .command = absorb_guest{"more", true},
       .events = "guest_absorbed"},
      {.claim = "the thousandth",
       .given = with_guests(keyed_guests_max - 2),
       .command = absorb_guest{"more"},
       .events = "guest_absorbed"},
      {.claim = "one beyond a thousand",
       .given = with_guests(keyed_guests_max - 1),
       .command = absorb_guest{"more"},
       .code = number(errc::too_many_guests)},
      {.claim = "one that is known already",
       .given = with_guests(keyed_guests_max - 1),
       .command = absorb_guest{"g7"}},
      {.claim = "one without a key, beside a thousand",
       .given = with_guests(keyed_guests_max - 1),
       .command = absorb_guest{"more", true}},
  });
}

BOOST_AUTO_TEST_CASE(of_more_than_a_hundred_guests_those_without_a_key_are_left_out_first) {
  subject one = made(with_guests(50, 60));
  const auto all = guests_of(one);
  BOOST_TEST(all.size() == absorbed_max);
  for (std::size_t i = 0; i <= 50; ++i) BOOST_TEST(all.contains(guest(i)), guest(i));
  for (std::size_t i = 1; i <= 60; ++i) BOOST_TEST(all.contains("k" + guest(i)) == (i > 11), i);
  for (std::size_t i = 51; i <= 150; ++i) BOOST_TEST(one.give(absorb_guest{guest(i)}) == 0);
  const auto keyed = guests_of(one);
  BOOST_TEST(keyed.size() == 151U);
  for (std::size_t i = 0; i <= 150; ++i) BOOST_TEST(keyed.contains(guest(i)), guest(i));
  one.reload();
  one.check_replay();
  BOOST_TEST((erased(one) == keyed));
}

BOOST_AUTO_TEST_CASE(only_a_full_account_says_that_it_takes_no_further_guest) {
  subject one = made(with_guests(keyed_guests_max - 2, 3));
  BOOST_TEST(!decode_reply(one.reply)->guests_full);
  BOOST_TEST(one.give(absorb_guest{"last"}) == 0);
  BOOST_TEST(decode_reply(one.reply)->guests_full);
  BOOST_TEST(erased(one).size() == keyed_guests_max);
}

BOOST_AUTO_TEST_CASE(an_erasure_asked_for_again_while_it_goes_on_changes_nothing) {
  const auto unknown = number(errc::no_such_user);
  trial::check_table<kind>({
      {.claim = "by an admin", .given = active, .command = erase{}, .asker = admin, .events = "erasure_begun"},
      {.claim = "again", .given = after({erase{}}), .command = erase{}, .asker = admin},
      {.claim = "again by themselves", .given = after({erase{}}), .command = erase{}, .asker = ann},
      {.claim = "by support",
       .given = active,
       .command = erase{},
       .asker = trial::support,
       .code = number(base_errc::forbidden)},
      {.claim = "again by support",
       .given = after({erase{}}),
       .command = erase{},
       .asker = trial::support,
       .code = unknown},
      {.claim = "again by somebody else", .given = after({erase{}}), .command = erase{}, .asker = bob, .code = unknown},
      {.claim = "of nobody", .given = {}, .command = erase{}, .asker = admin, .code = unknown},
  });
}

BOOST_AUTO_TEST_CASE(whatever_is_absorbed_and_repeated_no_key_outlasts_the_user) {
  for (const auto seed : trial::seeds(40)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      subject one = made(active);
      std::set<std::string> keyed{"g0"};
      const unsigned of_keyed = 1 + random() % 9;  // in ten
      for (int step = 1; step <= 300; ++step) {
        const bool keyless = random() % 10 >= of_keyed;
        const std::string session = (keyless ? "k" : "g") + std::to_string(random() % (step + 1));
        BOOST_REQUIRE(one.give(absorb_guest{session, keyless}) == 0);
        if (!keyless) keyed.insert(session);
        if (random() % 30 == 0) one.reload();
        const auto all = guests_of(one);
        for (const auto& each : keyed) BOOST_REQUIRE(all.contains(each));
      }
      one.reload();
      one.check_replay();
      const auto forgotten = erased(one);
      for (const auto& each : keyed) BOOST_REQUIRE(forgotten.contains(each));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_builds_said_that_told_nothing_of_keys_counts_as_keyed) {
  BOOST_TEST(trial::hex(encode(absorb_guest{"g1", true})) == "9201920992c4026731c3");
  BOOST_TEST(trial::hex(kind::encode_event(guest_absorbed{"g1", true})) == "9201920792c4026731c3");
  const auto said = kind::decode_command(trial::unhex("9201920991c4026731"));
  BOOST_REQUIRE(said.has_value());
  BOOST_TEST(!std::get<absorb_guest>(*said).keyless);
  subject one = made(active);
  // More than those builds kept: all of them come back when their log is read again.
  for (char c = '1'; c <= '9'; ++c) {
    for (char d = '0'; d <= '9'; ++d) {
      for (char e = '0'; e <= '1'; ++e) {
        const auto event = kind::decode_event(trial::unhex("9201920791c403") + c + d + e);
        BOOST_REQUIRE(event.has_value());
        kind::apply(one.s, *event);
        kind::check_full(one.s);
      }
    }
  }
  BOOST_TEST(guests_of(one).size() == 181U);
  BOOST_TEST((one.s.absorbed.size() == absorbed_max && one.s.keyless.empty()));
  // A state as the build before this stored it.
  const auto older = kind::decode_state(trial::unhex(
      "9201dc0012020103c4027531c40f616e6e406578616d706c652e6f7267c40b246172676f6e326964243194c403416e"
      "6ec4009090c4026731c4026731ce000f424091c4026731909092cfa7f611100bb4a5cecf89914a0c5548e5bd0090c4"
      "00c2"));
  BOOST_REQUIRE(older.has_value());
  BOOST_TEST((older->keyless.empty() && older->older.empty()));
  BOOST_TEST((older->absorbed == std::vector<std::string>{"g1"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace user_guests_test
}  // namespace omnicart::user
