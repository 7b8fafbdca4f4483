#include "http/sign_in_guard.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/unit/http/manual_clock.hpp"

namespace omnicart::http {
namespace sign_in_guard_test {

constexpr sign_in_limits limits{.slow_after_account = 3,
                                .slow_after_address = 6,
                                .base = duration_ms{1'000},
                                .most = duration_ms{5'000},
                                .forget_after = duration_ms{60'000}};
const std::string home = "192.0.2.1";

struct fixture {
  trial::manual_clock time;
  sign_in_guard guard{limits, time};
  // -1: the try may go on.
  std::int64_t wait(const std::string& account, const std::string& from = home) {
    const auto told = guard.begin(account, from);
    return told ? told->count() : -1;
  }
};

BOOST_AUTO_TEST_SUITE(sign_in_guard_suite)

BOOST_FIXTURE_TEST_CASE(each_wrong_password_beyond_the_free_ones_doubles_the_wait_up_to_the_most,
                        fixture) {
  for (int i = 0; i < 3; ++i) BOOST_TEST(wait("a", "192.0.2." + std::to_string(i)) == -1);
  for (const std::int64_t expected : {1'000, 2'000, 4'000, 5'000, 5'000}) {
    BOOST_TEST(wait("a", "198.51.100.1") == expected);
    time.pass(duration_ms{expected - 1});
    BOOST_TEST(wait("a", "198.51.100.1") == 1);
    time.pass(duration_ms{1});
    BOOST_TEST(wait("a", "198.51.100." + std::to_string(expected % 250 +
                                                        time.monotonic().count() % 250)) == -1);
  }
}

BOOST_FIXTURE_TEST_CASE(an_address_is_slowed_over_all_accounts_it_tries, fixture) {
  for (int i = 0; i < 6; ++i) BOOST_TEST(wait("a" + std::to_string(i)) == -1);
  BOOST_TEST(wait("new") == 1'000);
  BOOST_TEST(wait("new", "192.0.2.2") == -1);
}

BOOST_FIXTURE_TEST_CASE(an_ipv6_network_counts_as_one_address_and_a_mapped_one_as_ipv4, fixture) {
  for (int i = 0; i < 6; ++i)
    BOOST_TEST(wait("a" + std::to_string(i), "2001:db8::" + std::to_string(i + 1)) == -1);
  BOOST_TEST(wait("new", "2001:db8:0:0:ffff::1") == 1'000);
  BOOST_TEST(wait("new", "2001:db8:0:1::1") == -1);
  for (int i = 0; i < 6; ++i) BOOST_TEST(wait("b" + std::to_string(i)) == -1);
  BOOST_TEST(wait("last", "::ffff:" + home) == 1'000);
}

BOOST_FIXTURE_TEST_CASE(tries_that_are_still_under_way_count_as_wrong, fixture) {
  for (int i = 0; i < 3; ++i) BOOST_TEST(wait("a") == -1);
  BOOST_TEST(wait("a") == 1'000);
}

BOOST_FIXTURE_TEST_CASE(a_right_password_forgets_the_accounts_wrong_ones_and_not_the_addresses,
                        fixture) {
  for (int i = 0; i < 2; ++i) BOOST_TEST(wait("a") == -1);
  for (int i = 0; i < 10; ++i) {  // somebody's own account must not wash the address clean
    BOOST_TEST(wait("own") == -1);
    guard.succeeded("own", home);
  }
  for (int i = 0; i < 3; ++i) BOOST_TEST(wait("b" + std::to_string(i)) == -1);
  BOOST_TEST(wait("a") == -1);
  guard.succeeded("a", home);
  BOOST_TEST(wait("a") == -1);
  BOOST_TEST(wait("a") == 1'000);  // the address has six
  BOOST_TEST(wait("a", "192.0.2.9") == -1);
}

BOOST_FIXTURE_TEST_CASE(a_try_that_nobody_decided_does_not_count, fixture) {
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(wait("a") == -1);
    guard.withdrawn("a", home);
  }
}

BOOST_FIXTURE_TEST_CASE(wrong_passwords_are_forgotten_in_time, fixture) {
  for (int i = 0; i < 3; ++i) BOOST_TEST(wait("a") == -1);
  BOOST_TEST(wait("a") == 1'000);
  time.pass(duration_ms{60'000});
  for (int i = 0; i < 3; ++i) BOOST_TEST(wait("a") == -1);
  BOOST_TEST(wait("a") == 1'000);
}

BOOST_FIXTURE_TEST_CASE(the_account_that_failed_longest_ago_makes_room, fixture) {
  for (int i = 0; i < 3; ++i) BOOST_TEST(wait("first", "192.0.2.2") == -1);
  BOOST_TEST(wait("first", "192.0.2.2") == 1'000);
  const auto each = [](std::size_t i) {
    return std::to_string(i >> 16) + '.' + std::to_string(i >> 8 & 255) + '.';
  };
  for (std::size_t i = 0; i < sign_in_guard::remembered_max; ++i) {
    (void)guard.begin("x" + std::to_string(i), "10." + each(i) + std::to_string(i & 255));
  }
  BOOST_TEST(wait("first", "192.0.2.2") == -1);
}

BOOST_FIXTURE_TEST_CASE(new_limits_hold_at_once, fixture) {
  for (int i = 0; i < 3; ++i) BOOST_TEST(wait("a") == -1);
  sign_in_limits wider = limits;
  wider.slow_after_account = 4;
  guard.set_limits(wider);
  BOOST_TEST(wait("a") == -1);
  BOOST_TEST(wait("a") == 1'000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sign_in_guard_test
}  // namespace omnicart::http
