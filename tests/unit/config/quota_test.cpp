#include "config/quota.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart::config {

BOOST_AUTO_TEST_SUITE(quota_suite)

BOOST_AUTO_TEST_CASE(a_quota_is_a_call_a_rate_a_burst_and_a_subject) {
  const quota wanted{.route = "POST /api/orders",
                     .count = 5,
                     .seconds = 60,
                     .burst = 2,
                     .per = quota::subject::user};
  BOOST_TEST((*parse_quota("POST /api/orders 5/60s burst 2 per user") == wanted));
  BOOST_TEST(
      (parse_quota("GET /api/products 1/1s burst 1 per address")->per == quota::subject::address));
  BOOST_TEST((parse_quota("PUT /api/products/{id} 1/1s burst 1 per session")->per ==
              quota::subject::session));
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused_with_the_options_name) {
  for (const char* text :
       {"", "POST", "POST /api/orders", "FETCH /api/orders 5/60s burst 2 per user",
        "POST /orders 5/60s burst 2 per user", "POST /api/orders 5 burst 2 per user",
        "POST /api/orders 5/60 burst 2 per user", "POST /api/orders 0/60s burst 2 per user",
        "POST /api/orders 5/0s burst 2 per user", "POST /api/orders 5/60s burst 0 per user",
        "POST /api/orders 5/60s burst 2 per planet", "POST /api/orders 5/60s burst 2 per user now",
        "POST /api/orders 5/60s 2 per user", "POST /api/orders 5/60s burst 1000001 per user",
        "POST /api/orders -5/60s burst 2 per user"}) {
    const auto parsed = parse_quota(text);
    BOOST_TEST(!parsed.has_value(), text);
    if (!parsed) BOOST_TEST(parsed.error().detail.find("rate_limits.quotas") == 0U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace omnicart::config
