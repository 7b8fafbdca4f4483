#include "http/rate_limiter.hpp"

#include <boost/test/unit_test.hpp>

#include "http/peer_network.hpp"
#include "tests/unit/http/manual_clock.hpp"

namespace omnicart::http {
namespace {

const rate_limits limits{.enabled = true,
                         .loopback_exempt = true,
                         .read = {10, 20},
                         .write = {4, 4},
                         .checkout = {1, 2},
                         .login = {1, 1},
                         .addresses_max = 64};
const std::string peer = "192.0.2.1";

struct fixture {
  trial::manual_clock time;
  rate_limiter limiter{limits, time};
  int allowed_of(int tries, rate_class what, const std::string& from = peer) {
    int allowed = 0;
    for (int i = 0; i < tries; ++i) allowed += limiter.take(from, what).allowed ? 1 : 0;
    return allowed;
  }
};

}  // namespace

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
  const auto first = limiter.take(peer, rate_class::write);
  BOOST_TEST(first.allowed);
  BOOST_TEST(first.limit == 4);
  BOOST_TEST(first.remaining == 3);
  BOOST_TEST(first.reset_s == 1U);
  (void)allowed_of(3, rate_class::write);
  const auto refused = limiter.take(peer, rate_class::write);
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
    BOOST_TEST(limiter.take(own, rate_class::login).limit == 0);
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
    (void)limiter.take("10.0." + std::to_string(i / 250) + '.' + std::to_string(i % 250),
                       rate_class::login);
  }
  BOOST_TEST(allowed_of(1, rate_class::login) == 1);
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

}  // namespace omnicart::http
