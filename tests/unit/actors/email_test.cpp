#include <boost/test/unit_test.hpp>

#include "actors/email/email_kind.hpp"
#include "tests/unit/actors/kind_trial.hpp"

namespace omnicart::email {
namespace email_test {

static_assert(entity_kind<kind>);
using trial::number;

BOOST_AUTO_TEST_SUITE(email)

const claim ann{.address = "Ann@example.org", .user = user_id{"u1"}};

BOOST_AUTO_TEST_CASE(the_first_user_to_claim_an_address_owns_it) {
  const claim same{.address = "ANN@example.org", .user = user_id{"u1"}};
  const claim other{.address = "ann@example.org", .user = user_id{"u2"}};
  trial::check_table<kind>({
      {.claim = "a free address is claimed", .given = {}, .command = ann, .events = "claimed"},
      {.claim = "its owner may claim it again", .given = {ann}, .command = same},
      {.claim = "nobody else may", .given = {ann}, .command = other, .code = number(errc::taken)},
      {.claim = "a claim names a user",
       .given = {},
       .command = claim{.address = "a@b", .user = {}},
       .code = number(base_errc::malformed)},
      {.claim = "a claim names an address",
       .given = {},
       .command = claim{.address = "a", .user = user_id{"u1"}},
       .code = number(base_errc::malformed)},
      {.claim = "an owned address is found", .given = {ann}, .command = look_up{}},
      {.claim = "a free one is not",
       .given = {},
       .command = look_up{},
       .code = number(errc::unclaimed)},
  });
}

BOOST_AUTO_TEST_CASE(its_owner_may_give_an_address_back_through_the_engine) {
  const release back{.user = user_id{"u1"}};
  state s;
  caller engine;
  engine.as = role::system;
  const context ours{.now = timestamp_ms{duration_ms{1'000'000}}, .command = {}, .asker = engine};
  const auto give = [&](const command& what) {
    const auto made = decide(s, what, ours).value();
    for (const auto& each : made) apply(s, each);
    check_full(s);
    return made.size();
  };
  BOOST_TEST(give(back) == 0U);
  BOOST_TEST(give(ann) == 1U);
  BOOST_TEST(!kind::is_blank(s));
  BOOST_TEST(give(release{.user = user_id{"u2"}}) == 0U);
  BOOST_TEST(decide(s, back, {}).error().is(base_errc::forbidden));
  BOOST_TEST(give(back) == 1U);
  BOOST_TEST(kind::is_blank(s));
  BOOST_TEST(give(claim{.address = "ann@example.org", .user = user_id{"u2"}}) == 1U);
}

// Whoever asks, in whatever order: an address has the owner who came first, until the engine gives
// it back for that owner and no other.
BOOST_AUTO_TEST_CASE(random_claims_leave_an_address_to_one_owner_at_a_time) {
  for (const auto seed : trial::seeds(20)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      std::mt19937 random(seed);
      trial::subject<kind> one;
      std::string owner, written;
      for (int i = 0; i < 300; ++i) {
        one.now += duration_ms{random() % 1'000};
        const std::string name = random() % 9 ? "u" + std::to_string(random() % 4) : "";
        const user_id user{name};
        const auto lot = random() % 6;
        if (lot < 3) {
          const std::string address =
              random() % 6 == 0 ? "ann" : random() % 2 ? "Ann@example.org" : "ann@EXAMPLE.org";
          const bool malformed = name.empty() || address == "ann";
          const bool taken = !malformed && !owner.empty() && owner != name;
          const auto code = one.give(claim{.address = address, .user = user}, trial::nobody);
          BOOST_REQUIRE(code == (malformed ? number(base_errc::malformed)
                                 : taken   ? number(errc::taken)
                                           : 0));
          BOOST_REQUIRE((one.names == "claimed") == (code == 0 && owner.empty()));
          if (one.names == "claimed") written = address;
          if (code == 0) owner = name;
        } else if (lot < 4) {
          const auto code = one.give(look_up{}, trial::nobody);
          BOOST_REQUIRE(code == (owner.empty() ? number(errc::unclaimed) : 0));
          if (code == 0) BOOST_REQUIRE(decode_reply(one.reply)->user.str() == owner);
        } else {
          const bool ours = random() % 3 != 0;
          const bool his = ours && !owner.empty() && owner == name;
          const auto code = one.give(release{user}, ours ? trial::system : trial::support);
          BOOST_REQUIRE(code == (ours ? 0 : number(base_errc::forbidden)));
          BOOST_REQUIRE((one.names == "released") == his);
          if (his) owner.clear();
        }
        BOOST_REQUIRE((one.s.user.str() == owner && kind::is_blank(one.s) == owner.empty()));
        BOOST_REQUIRE(one.s.address == (owner.empty() ? "" : written));
        one.reload();
      }
      one.check_replay();
    }
  }
}

BOOST_AUTO_TEST_CASE(the_answer_names_the_owner) {
  trial::subject<kind> one;
  one.give(ann);
  one.give(look_up{});
  BOOST_TEST((decode_reply(one.reply)->user == user_id{"u1"}));
}

BOOST_AUTO_TEST_CASE(addresses_are_compared_with_ascii_letters_folded_and_nothing_else) {
  BOOST_TEST((entity_for("Ann@Example.ORG") == entity_for("ann@example.org")));
  BOOST_TEST((entity_for("ann@example.org") != entity_for("anne@example.org")));
  BOOST_TEST((entity_for("\xC3\x84@x.de") != entity_for("\xC3\xA4@x.de")));  // Ä and ä: not ASCII
  BOOST_TEST((entity_for("a.b@x.de") != entity_for("ab@x.de")));
  BOOST_TEST(entity_for("ann@example.org").str() == "email/1m53tcnyjn9ta2ypdmsvw6mzvc");
}

BOOST_AUTO_TEST_CASE(a_plausible_address_is_x_at_y_without_spaces) {
  const std::string local(252, 'a');
  for (const std::string& good :
       {std::string("a@b"), std::string("ann+shop@mail.example.org"),
        std::string("\xC3\xA4@\xE4\xBE\x8B.jp"), std::string("o'neil@x.ie"), local + "@b"}) {
    BOOST_TEST_CONTEXT(good) { BOOST_TEST(is_plausible_address(good)); }
  }
  for (const std::string& bad : {std::string(),
                                 std::string("@"),
                                 std::string("a@"),
                                 std::string("@b"),
                                 std::string("ab"),
                                 std::string("a@b@c"),
                                 std::string("a b@c"),
                                 std::string(" a@b"),
                                 std::string("a@b\n"),
                                 std::string("a\0@b", 4),
                                 std::string("a\x7F@b"),
                                 std::string("a\xFF@b"),
                                 std::string("a\xC2\xA0@b"),
                                 std::string("a\xC2\x85@b"),
                                 std::string("a\xE2\x80\x8B@b"),
                                 std::string("a\xE2\x80\xAE@b"),
                                 std::string("a\xE2\x81\xA0@b"),
                                 std::string("a\xE3\x80\x80@b"),
                                 std::string("a\xEF\xBB\xBF@b"),
                                 local + "a@b"}) {
    BOOST_TEST_CONTEXT(trial::hex(bad)) { BOOST_TEST(!is_plausible_address(bad)); }
  }
}

BOOST_AUTO_TEST_CASE(stored_and_sent_bytes_stay_as_they_are) {
  trial::subject<kind> one;
  one.give(ann);
  BOOST_TEST(trial::hex(encode(ann)) == "9201920092c40f416e6e406578616d706c652e6f7267c4027531");
  BOOST_TEST(trial::hex(encode(look_up{})) == "9201920190");
  BOOST_TEST(trial::hex(one.log.at(0)) ==
             "9201920093c40f416e6e406578616d706c652e6f7267c4027531ce000f4240");
  BOOST_TEST(trial::hex(kind::encode_state(one.s)) ==
             "920193c40f416e6e406578616d706c652e6f7267c4027531ce000f4240");
  BOOST_TEST(trial::hex(one.reply) == "920191c4027531");
}

BOOST_AUTO_TEST_CASE(every_code_has_a_name) {
  BOOST_TEST(to_string(errc::taken) == "email_taken");
  BOOST_TEST(to_string(errc::unclaimed) == "unclaimed");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace email_test
}  // namespace omnicart::email
