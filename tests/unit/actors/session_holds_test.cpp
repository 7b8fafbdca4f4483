#include "actors/session/session_kind.hpp"
#include "runtime/base/limits.hpp"
#include "tests/unit/actors/kind_trial.hpp"

// How a session counts what it holds; together with the stocks: hold_count_test.cpp.
namespace omnicart::session {
namespace session_holds_test {

using trial::number;
using subject = trial::subject<kind>;

const caller mine{.as = role::guest, .session = "s1", .user = {}};
const caller stranger{.as = role::shopper, .session = "s9", .user = "u9"};

open guest() {
  return {.as = role::guest,
          .user = {},
          .cart = cart_id{"s1"},
          .refresh_digest = "d0",
          .expires_at = trial::at(5000),  // subjects start at 1000
          .absorb = {},
          .user_agent = {},
          .id = session_id{"s1"},
          .absorb_cart = {}};
}
session_view view(const subject& one) { return decode_reply(one.reply).value(); }

hold hold_of(const std::string& id, std::int64_t seconds = 60, bool known_only = false) {
  return {.reservation = reservation_id{id},
          .ttl = std::chrono::seconds{seconds},
          .known_only = known_only};
}
drop_holds drop_of(const std::string& id, timestamp_ms at = {}) {
  return {.holds = {{.reservation = reservation_id{id}, .at = at, .until = {}}}};
}
std::vector<command> with_holds(std::size_t count) {
  std::vector<command> given = {guest()};
  for (std::size_t i = 0; i < count; ++i) given.push_back(hold_of("h" + std::to_string(i)));
  return given;
}

BOOST_AUTO_TEST_SUITE(session_holds)

BOOST_AUTO_TEST_CASE(a_session_counts_at_most_ten_holds) {
  const auto unknown = number(errc::no_such_session);
  const auto malformed = number(base_errc::malformed);
  trial::check_table<kind>({
      {.claim = "a hold",
       .given = {guest()},
       .command = hold_of("h"),
       .asker = mine,
       .events = "hold_counted"},
      {.claim = "a stranger's",
       .given = {guest()},
       .command = hold_of("h"),
       .asker = stranger,
       .code = unknown},
      {.claim = "of nobody", .given = {}, .command = hold_of("h"), .code = unknown},
      {.claim = "of one that ended",
       .given = {guest(), revoke{}},
       .command = hold_of("h"),
       .code = number(errc::revoked)},
      {.claim = "of one that expired",
       .given = {guest()},
       .command = hold_of("h"),
       .code = number(errc::expired),
       .later_s = 4000},
      {.claim = "without name", .given = {guest()}, .command = hold_of(""), .code = malformed},
      {.claim = "with too long a name",
       .given = {guest()},
       .command = hold_of(std::string(161, 'h')),
       .code = malformed},
      {.claim = "too short", .given = {guest()}, .command = hold_of("h", 0), .code = malformed},
      {.claim = "too long", .given = {guest()}, .command = hold_of("h", 1'801), .code = malformed},
      {.claim = "the tenth",
       .given = with_holds(9),
       .command = hold_of("h9"),
       .events = "hold_counted"},
      {.claim = "the eleventh",
       .given = with_holds(10),
       .command = hold_of("h10"),
       .code = number(errc::hold_limit)},
      {.claim = "one of the ten again",
       .given = with_holds(10),
       .command = hold_of("h3"),
       .events = "hold_counted"},
      {.claim = "when others have ended",
       .given = with_holds(10),
       .command = hold_of("h10"),
       .events = "hold_counted",
       .later_s = 65},
      {.claim = "not yet",
       .given = with_holds(10),
       .command = hold_of("h10"),
       .code = number(errc::hold_limit),
       .later_s = 64},
      {.claim = "one known",
       .given = with_holds(1),
       .command = hold_of("h0", 60, true),
       .events = "hold_counted"},
      {.claim = "one unknown", .given = with_holds(1), .command = hold_of("h1", 60, true)},
      {.claim = "one known that ended",
       .given = with_holds(1),
       .command = hold_of("h0", 60, true),
       .later_s = 65},
      {.claim = "a hold is dropped",
       .given = with_holds(2),
       .command = drop_of("h0"),
       .asker = mine,
       .events = "holds_dropped"},
      {.claim = "not by strangers",
       .given = with_holds(2),
       .command = drop_of("h0"),
       .asker = stranger,
       .code = unknown},
      {.claim = "an unknown one", .given = with_holds(2), .command = drop_of("h7")},
      {.claim = "as it was counted",
       .given = with_holds(2),
       .command = drop_of("h0", trial::at(1000)),
       .events = "holds_dropped"},
      {.claim = "not if it was counted anew",
       .given = with_holds(2),
       .command = drop_of("h0", trial::at(999))},
      {.claim = "of a session that ended",
       .given = {guest(), hold_of("h"), revoke{}},
       .command = drop_of("h")},
  });
}

BOOST_AUTO_TEST_CASE(a_hold_is_counted_until_its_stock_can_have_made_no_longer_one) {
  subject one;
  one.give(guest());
  one.give(hold_of("h", 60));
  BOOST_TEST(
      (view(one).hold_until == one.now + std::chrono::seconds{60} + limits::session_hold_window));
  const auto until = view(one).hold_until;
  one.now += std::chrono::seconds{1};
  one.give(hold_of("h", 1));  // never less
  BOOST_TEST((view(one).hold_until == until));
  one.give(hold_of("other", 60, true));
  BOOST_TEST(!view(one).hold_until.has_value());
  one.give(authorize{});
  BOOST_TEST(!view(one).hold_until.has_value());
}

BOOST_AUTO_TEST_CASE(a_full_session_names_the_holds_that_may_have_ended_unnoticed) {
  subject one;
  for (const auto& c : with_holds(10)) one.give(c);
  one.now += limits::session_hold_window - duration_ms{1};
  BOOST_TEST(one.give(hold_of("h3")) == 0);
  BOOST_TEST(one.give(hold_of("x")) == number(errc::hold_limit));
  BOOST_TEST(
      decode_holds(one.refusal.data).empty());  // their stocks may still be about to make them
  one.now += duration_ms{1};
  BOOST_TEST(one.give(hold_of("x")) == number(errc::hold_limit));
  const auto named = decode_holds(one.refusal.data);
  BOOST_TEST(named.size() == 9u);  // h3 was counted anew
  BOOST_TEST(one.give(drop_holds{named}) == 0);
  BOOST_TEST(one.s.holds.size() == 1u);
  BOOST_TEST(decode_holds("junk").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace session_holds_test
}  // namespace omnicart::session
