#include "cluster/placement/transfer_pauses.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart::cluster {
namespace transfer_pauses_test {

constexpr duration_ms start{1'000'000};
constexpr duration_ms tick{20};

// Transfers that all fail, tried at every tick at which they may be.
int tries_within(transfer_pauses& pauses, duration_ms span) {
  int tries = 0;
  for (duration_ms now = start; now < start + span; now += tick) {
    if (!pauses.may_try(3, 2, now)) continue;
    ++tries;
    pauses.failed(3, 2, now);
  }
  return tries;
}

BOOST_AUTO_TEST_SUITE(transfers)

BOOST_AUTO_TEST_CASE(one_that_failed_is_not_repeated_at_once) {
  transfer_pauses pauses;
  BOOST_TEST(pauses.may_try(3, 2, start));
  pauses.failed(3, 2, start);
  BOOST_TEST(!pauses.may_try(3, 2, start));
  BOOST_TEST(!pauses.may_try(3, 2, start + transfer_pauses::first - duration_ms{1}));
  BOOST_TEST(pauses.may_try(3, 2, start + transfer_pauses::first));
  pauses.failed(3, 2, start + transfer_pauses::first);
  BOOST_TEST(!pauses.may_try(3, 2, start + transfer_pauses::first * 3 - duration_ms{1}));
  BOOST_TEST(pauses.may_try(3, 2, start + transfer_pauses::first * 3));
}

BOOST_AUTO_TEST_CASE(it_is_tried_ever_more_seldom_and_never_given_up) {
  transfer_pauses minute, hour;
  BOOST_TEST(tries_within(minute, std::chrono::minutes(1)) == 11);
  const int tries = tries_within(hour, std::chrono::hours(1));
  BOOST_TEST(tries > 3'600 / 11);
  BOOST_TEST(tries < 3'600 / 10 + 10);
}

BOOST_AUTO_TEST_CASE(other_shards_and_other_nodes_are_not_kept_waiting) {
  transfer_pauses pauses;
  pauses.failed(3, 2, start);
  BOOST_TEST(pauses.may_try(3, 1, start));
  BOOST_TEST(pauses.may_try(4, 2, start));
}

BOOST_AUTO_TEST_CASE(a_node_that_stops_asks_everybody_again) {
  transfer_pauses pauses;
  for (int i = 0; i < 10; ++i) pauses.failed(3, 2, start);
  pauses.forget();
  BOOST_TEST(pauses.may_try(3, 2, start));
  pauses.failed(3, 2, start);
  BOOST_TEST(pauses.may_try(3, 2, start + transfer_pauses::first));
}

BOOST_AUTO_TEST_CASE(a_success_and_a_long_while_make_it_forgotten) {
  transfer_pauses pauses;
  for (int i = 0; i < 10; ++i) pauses.failed(3, 2, start);
  pauses.succeeded(3, 2);
  BOOST_TEST(pauses.may_try(3, 2, start));
  BOOST_TEST(pauses.size() == 0u);
  for (std::uint16_t shard = 0; shard < 100; ++shard) pauses.failed(shard, 2, start);
  BOOST_TEST(pauses.size() == 100u);
  const auto later = start + transfer_pauses::first + transfer_pauses::longest;
  pauses.failed(7, 2, later);
  BOOST_TEST(pauses.size() == 1u);
  BOOST_TEST(pauses.may_try(7, 2, later + transfer_pauses::first));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace transfer_pauses_test
}  // namespace omnicart::cluster
