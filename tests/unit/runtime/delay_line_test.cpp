#include "runtime/delay_line.hpp"

#include <boost/test/unit_test.hpp>
#include <future>
#include <memory>
#include <vector>

namespace omnicart {
namespace delay_line_test {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(delay_line_suite)

BOOST_AUTO_TEST_CASE(jobs_run_in_order_of_being_due_and_not_before) {
  delay_line later;
  std::vector<int> ran;
  std::promise<void> last;
  const auto began = std::chrono::steady_clock::now();
  later.run_after(60ms, [&] {
    ran.push_back(3);
    last.set_value();
  });
  later.run_after(0ms, [&] { ran.push_back(1); });
  later.run_after(30ms, [&] { ran.push_back(2); });
  last.get_future().wait();
  BOOST_TEST((std::chrono::steady_clock::now() - began >= 60ms));
  BOOST_TEST(ran == (std::vector<int>{1, 2, 3}), boost::test_tools::per_element());
  BOOST_TEST(later.waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(what_waits_at_a_stop_is_dropped_and_nothing_is_taken_after_it) {
  delay_line later;
  const auto held = std::make_shared<int>(1);
  later.run_after(std::chrono::hours(1), [held] { BOOST_ERROR("ran"); });
  BOOST_TEST(later.waiting() == 1u);
  later.stop();
  BOOST_TEST(held.use_count() == 1);
  later.run_after(0ms, [held] { BOOST_ERROR("ran"); });
  BOOST_TEST(held.use_count() == 1);
  later.stop();
}

// A job may hold the last reference to whatever posted it, or post again.
BOOST_AUTO_TEST_CASE(a_job_may_hand_over_another) {
  delay_line later;
  std::promise<void> second;
  later.run_after(0ms, [&] { later.run_after(0ms, [&] { second.set_value(); }); });
  second.get_future().wait();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace delay_line_test
}  // namespace omnicart
