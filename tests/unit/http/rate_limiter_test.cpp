#include "http/rate_limiter.hpp"

#include <boost/test/unit_test.hpp>

#include "runtime/base/peer_network.hpp"
#include "tests/unit/http/manual_clock.hpp"

namespace omnicart::http {
namespace rate_limiter_test {

const rate_limits limits{.enabled = true,
                         .loopback_exempt = true,
                         .read = {10, 20},
                         .write = {4, 4},
                         .checkout = {1, 2},
                         .login = {1, 1},
                         .addresses_max = 64};
const std::string peer = "192.0.2.1";

rate_limiter::claimant from(std::string_view address, std::string_view session = {},
                            std::string_view user = {}) {
  return {.peer = address, .session = session, .user = user};
}

struct fixture {
  trial::manual_clock time;
  rate_limiter limiter{limits, time};
  int allowed_of(int tries, rate_class what, const std::string& address = peer) {
    return allowed_of(tries, what, from(address));
  }
  int allowed_of(int tries, rate_class what, const rate_limiter::claimant& who) {
    int allowed = 0;
    for (int i = 0; i < tries; ++i) allowed += limiter.take(who, what).allowed ? 1 : 0;
    return allowed;
  }
};

BOOST_AUTO_TEST_SUITE(rate_limiter_suite)

BOOST_FIXTURE_TEST_CASE(a_burst_is_allowed_and_then_the_rate, fixture) {
  const struct {
    rate_class what;
    int burst;
    int per_s;
  } rows[] = {{rate_class::read, 20, 10},
              {rate_class::write, 4, 4},
              {rate_class::checkout, 2, 1},
              {rate_class::login, 1, 1}};
  for (const auto& row : rows) {
    BOOST_TEST(allowed_of(100, row.what) == row.burst);
    time.pass(duration_ms{1'000});
    BOOST_TEST(allowed_of(100, row.what) == row.per_s);
    time.pass(duration_ms{3'600'000});
    BOOST_TEST(allowed_of(100, row.what) == row.burst);
  }
}

BOOST_FIXTURE_TEST_CASE(a_verdict_says_what_is_left_and_when_to_come_back, fixture) {
  const auto first = limiter.take(from(peer), rate_class::write);
  BOOST_TEST(first.allowed);
  BOOST_TEST(first.limit == 4);
  BOOST_TEST(first.remaining == 3);
  BOOST_TEST(first.reset_s == 1U);
  (void)allowed_of(3, rate_class::write);
  const auto refused = limiter.take(from(peer), rate_class::write);
  BOOST_TEST(!refused.allowed);
  BOOST_TEST(refused.remaining == 0);
  BOOST_TEST(refused.retry_after_s == 1U);
  time.pass(duration_ms{249});
  BOOST_TEST(allowed_of(1, rate_class::write) == 0);
  time.pass(duration_ms{1});
  BOOST_TEST(allowed_of(2, rate_class::write) == 1);
}

BOOST_FIXTURE_TEST_CASE(peers_and_classes_do_not_share_tokens, fixture) {
  BOOST_TEST(allowed_of(2, rate_class::login) == 1);
  BOOST_TEST(allowed_of(2, rate_class::login, "192.0.2.2") == 1);
  BOOST_TEST(allowed_of(3, rate_class::checkout) == 2);
}

BOOST_FIXTURE_TEST_CASE(loopback_is_exempt_when_so_configured, fixture) {
  for (const char* own : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    BOOST_TEST(allowed_of(1'000, rate_class::login, own) == 1'000, own);
    BOOST_TEST(limiter.take(from(own), rate_class::login).limit == 0);
  }
  rate_limits strict = limits;
  strict.loopback_exempt = false;
  limiter.set_limits(strict);
  BOOST_TEST(allowed_of(10, rate_class::login, "127.0.0.1") == 1);
  strict.enabled = false;
  limiter.set_limits(strict);
  BOOST_TEST(allowed_of(10, rate_class::login, "127.0.0.1") == 10);
}

BOOST_FIXTURE_TEST_CASE(the_peer_unheard_of_for_longest_is_forgotten_beyond_the_limit, fixture) {
  BOOST_TEST(allowed_of(2, rate_class::login) == 1);
  for (int i = 0; i < 5'000; ++i) {
    const std::string other = "10.0." + std::to_string(i / 250) + '.' + std::to_string(i % 250);
    (void)limiter.take(from(other), rate_class::login);
  }
  BOOST_TEST(allowed_of(1, rate_class::login) == 1);
}

BOOST_FIXTURE_TEST_CASE(a_session_and_a_user_are_counted_wherever_they_come_from, fixture) {
  const auto home = from("192.0.2.1", "s1", "ann"), work = from("192.0.2.2", "s2", "ann");
  BOOST_TEST(allowed_of(3, rate_class::write, home) == 3);
  BOOST_TEST(allowed_of(3, rate_class::write, work) == 1);
  const auto said = limiter.take(from("192.0.2.3", "s3", "ann"), rate_class::write);
  BOOST_TEST(!said.allowed);
  BOOST_TEST((said.who == rate_subject::user));
  // What was refused for one subject is not taken from the others.
  BOOST_TEST(allowed_of(5, rate_class::write, from("192.0.2.3", "s3", "bob")) == 4);
}

BOOST_FIXTURE_TEST_CASE(sessions_have_a_share_of_an_addresss_limit, fixture) {
  rate_limits halved = limits;
  halved.session_percent = 50;
  limiter.set_limits(halved);
  BOOST_TEST(allowed_of(9, rate_class::write, from(peer, "s1")) == 2);
  BOOST_TEST(allowed_of(9, rate_class::write, from(peer, "s2")) == 2);
  BOOST_TEST(allowed_of(9, rate_class::write, from(peer, "s3")) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_quota_takes_the_place_of_its_classs_limit, fixture) {
  rate_limits special = limits;
  special.quotas.push_back({"POST /api/orders", rate_subject::user, 1, 60, 2});
  limiter.set_limits(special);
  const auto of = [&](const char* route, const char* user) {
    int allowed = 0;
    for (int i = 0; i < 4; ++i)
      allowed +=
          limiter.take(from("192.0.2." + std::to_string(i), "", user), rate_class::write, route)
              .allowed;
    return allowed;
  };
  BOOST_TEST(of("POST /api/orders", "ann") == 2);
  BOOST_TEST(of("POST /api/orders", "bob") == 2);
  BOOST_TEST(of("POST /api/carts", "ann") == 4);
  time.pass(duration_ms{60'000});
  BOOST_TEST(of("POST /api/orders", "ann") == 1);
}

BOOST_AUTO_TEST_CASE(three_nodes_that_tell_each_other_keep_one_limit_between_them) {
  trial::manual_clock time;
  rate_limiter nodes[] = {{limits, time}, {limits, time}, {limits, time}};
  for (auto& each : nodes) each.share();
  const auto exchange = [&] {
    for (auto& giver : nodes) {
      const auto told = giver.drain();
      for (auto& taker : nodes)
        if (&taker != &giver) taker.absorb(told);
    }
  };
  // Told after every request, they are as one.
  int allowed = 0;
  for (int i = 0; i < 60; ++i) {
    allowed += nodes[i % 3].take(from(peer), rate_class::read).allowed;
    exchange();
  }
  BOOST_TEST(allowed == 20);
  // All three at once, told only afterwards: each its whole burst, and no more before that is made
  // up for.
  time.pass(duration_ms{60'000});
  allowed = 0;
  for (int i = 0; i < 90; ++i) allowed += nodes[i % 3].take(from(peer), rate_class::read).allowed;
  BOOST_TEST(allowed == 60);
  exchange();
  for (int ms = 0; ms < 6'000; ms += 100) {
    time.pass(duration_ms{100});
    allowed += nodes[ms / 100 % 3].take(from(peer), rate_class::read).allowed;
    exchange();
  }
  // A single node would have let in 20 and then 10 a second.
  BOOST_TEST(allowed <= 20 + 60 + 1);
  BOOST_TEST(allowed >= 20 + 58);
}

BOOST_FIXTURE_TEST_CASE(what_is_told_to_others_is_bounded, fixture) {
  rate_limits wide = limits;
  wide.addresses_max = 1'000'000;
  limiter.set_limits(wide);
  limiter.share();
  for (std::uint32_t i = 0; i < 3 * rate_limiter::shared_max; ++i)
    (void)limiter.take(from("user " + std::to_string(i)), rate_class::read);
  BOOST_TEST(limiter.drain().size() <= rate_limiter::shared_max);
  BOOST_TEST(limiter.drain().empty());
}

BOOST_AUTO_TEST_CASE(networks_are_told_apart) {
  const struct {
    const char* a;
    const char* b;
    bool same;
  } rows[] = {{"192.0.2.1", "192.0.2.2", false},    {"192.0.2.1", "::ffff:192.0.2.1", true},
              {"2001:db8::1", "2001:db8::2", true}, {"2001:db8::1", "2001:db8:0:1::1", false},
              {"fe80::1%eth0", "fe80::2", true},    {"nonsense", "other nonsense", false},
              {"192.0.2.1", "::c000:201", false}};
  for (const auto& row : rows) {
    BOOST_TEST((network_of(row.a).key == network_of(row.b).key) == row.same,
               row.a << " and " << row.b);
  }
  for (const char* not_own : {"128.0.0.1", "::2", "::ffff:128.0.0.1", "2001:db8::1", "", "127"}) {
    BOOST_TEST(!network_of(not_own).loopback, not_own);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rate_limiter_test
}  // namespace omnicart::http
