#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <vector>

#include "actors/user/user_kind.hpp"
#include "tests/unit/actors/kind_trial.hpp"

// Mails to reset a password and to confirm an address, sessions that end with the old password, and
// erasure, in any order.
namespace omnicart::user {
namespace user_tickets_test {

using trial::number;

const caller ann{.as = role::shopper, .session = "s0", .user = "u1"};
const caller admin{.as = role::admin, .session = {}, .user = "boss"};

// A user, and what somebody who looks on would have noted of them.
struct random_user {
  struct mail {
    std::string digest;
    timestamp_ms expires_at;
  };

  explicit random_user(std::uint32_t seed) : random(seed) { register_again(); }

  bool one_in(unsigned n) { return random() % n == 0; }
  void register_again() {
    mails.clear();
    sessions.clear();
    hash = "$argon2id$0";
    key.clear();
    changes = 0;
    confirmed = disabled = false;
    BOOST_REQUIRE(one.give(register_user{.email = "ann@example.org",
                                         .password_hash = hash,
                                         .name = "Ann",
                                         .guest_session = {},
                                         .cart = {},
                                         .id = user_id{"u1"}}) == 0);
    BOOST_REQUIRE(one.give(email_claimed{}) == 0);
    settle_all();
  }
  void settle_all() {
    for (int i = 0; i < 200; ++i) {
      const auto owed = kind::pending(one.s, 32);
      if (owed.empty()) return;
      BOOST_REQUIRE(one.answered(owed.front().key, answer{}));
    }
    BOOST_FAIL("the user never comes to rest");
  }
  void settle_one() {
    const auto owed = kind::pending(one.s, 32);
    if (!owed.empty()) one.answered(owed[random() % owed.size()].key, answer{});
  }
  ticket_purpose draw_purpose() {
    return one_in(2) ? ticket_purpose::reset_password : ticket_purpose::confirm_email;
  }
  void send_mail() {
    const issue_ticket c{.purpose = draw_purpose(),
                         .digest = one_in(9) ? "" : "d" + std::to_string(++issued),
                         .expires_at = one.now + duration_ms{random() % 900}};
    const bool ours = !one_in(6);
    const auto code = one.give(c, ours ? trial::system : ann);
    BOOST_REQUIRE(code == (!ours              ? number(base_errc::forbidden)
                           : c.digest.empty() ? number(base_errc::malformed)
                           : disabled         ? number(errc::disabled)
                                              : 0));
    if (code == 0) mails[c.purpose] = {c.digest, c.expires_at};
  }
  void answer_mail() {
    redeem_ticket c{.purpose = draw_purpose(), .digest = {}, .password_hash = {}};
    if (!one_in(5)) c.password_hash = "$argon2id$" + std::to_string(random() % 1'000);
    const auto newest = mails.find(c.purpose);
    c.digest = newest != mails.end() && !one_in(4) ? newest->second.digest
                                                   : "d" + std::to_string(random() % (issued + 1));
    const bool resets = c.purpose == ticket_purpose::reset_password;
    const bool good = newest != mails.end() && newest->second.digest == c.digest &&
                      one.now < newest->second.expires_at;
    const auto code = one.give(c, trial::nobody);
    BOOST_REQUIRE(code == (disabled                            ? number(errc::disabled)
                           : !good                             ? number(errc::invalid_ticket)
                           : resets && c.password_hash.empty() ? number(base_errc::malformed)
                                                               : 0));
    if (code != 0) return;
    mails.erase(newest);
    confirmed = true;
    if (!resets) return;
    ++redeemed;
    hash = c.password_hash;
    ++changes;
    sessions.clear();
  }
  void open_session() {
    const session_opened c{"s" + std::to_string(++opened),
                           changes == 0 || !one_in(3) ? changes : changes - 1};
    const auto code = one.give(c);
    BOOST_REQUIRE(code == (disabled                  ? number(errc::disabled)
                           : c.credentials < changes ? number(errc::password_changed)
                                                     : 0));
    if (code == 0) sessions.push_back(c.session);
    if (sessions.size() > sessions_max) sessions.erase(sessions.begin());
  }
  void keep_key() {
    const keep_person_key c{std::string(person_key_bytes, static_cast<char>('a' + random() % 3))};
    BOOST_REQUIRE(one.give(c) == 0);
    if (key.empty()) key = c.key;
  }
  void disable() {
    disabled = one_in(2);
    BOOST_REQUIRE(one.give(set_disabled{disabled}, admin) == 0);
    if (disabled) sessions.clear();
  }
  // Nothing is left, whatever there was; then the same person comes again.
  void erase_and_return() {
    if (disabled) return;
    BOOST_REQUIRE(one.give(erase{}, ann) == 0);
    BOOST_REQUIRE((one.s.password_hash.empty() && one.s.person_key.empty() && one.s.tickets.empty()));
    const redeem_ticket late{ticket_purpose::reset_password, "d" + std::to_string(issued), "$argon2id$9"};
    BOOST_REQUIRE(one.give(late, trial::nobody) == number(errc::no_such_user));
    settle_all();
    BOOST_REQUIRE((one.s == state{} && kind::is_blank(one.s)));
    register_again();
  }
  void compare() {
    BOOST_REQUIRE((one.s.password_hash == hash && one.s.credentials == changes));
    BOOST_REQUIRE((one.s.email_confirmed == confirmed && one.s.person_key == key));
    BOOST_REQUIRE(one.s.sessions == sessions);
    for (const auto& gone : one.s.revocations)
      BOOST_REQUIRE(std::ranges::find(sessions, gone) == sessions.end());
    one.reload();
  }

  std::mt19937 random;
  trial::subject<kind> one;
  std::map<ticket_purpose, mail> mails;  // the newest of each
  std::vector<std::string> sessions;
  std::string hash, key;
  std::uint32_t changes = 0;
  bool confirmed = false, disabled = false;
  unsigned issued = 0, opened = 0;
  int redeemed = 0;
};

BOOST_AUTO_TEST_SUITE(user_tickets)

// Whatever is sent, shown, opened and erased, in whatever order: a mail is good once, in its time,
// and only the newest of its kind; no session outlives the password that it came with.
BOOST_AUTO_TEST_CASE(random_mails_open_an_account_once_and_end_its_sessions) {
  int redeemed = 0;
  for (const auto seed : trial::seeds(40)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      random_user story(seed);
      for (int i = 0; i < 200; ++i) {
        story.one.now += duration_ms{story.random() % 200};
        const auto lot = story.random() % 100;
        if (lot < 25) {
          story.send_mail();
        } else if (lot < 55) {
          story.answer_mail();
        } else if (lot < 75) {
          story.open_session();
        } else if (lot < 80) {
          story.keep_key();
        } else if (lot < 85) {
          story.disable();
        } else if (lot < 87) {
          story.erase_and_return();
        } else {
          story.settle_one();
        }
        story.compare();
      }
      story.one.check_replay();
      redeemed += story.redeemed;
    }
  }
  BOOST_TEST(redeemed > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace user_tickets_test
}  // namespace omnicart::user
