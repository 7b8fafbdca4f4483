#include "runtime/even_clock.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart {
namespace even_clock_test {

struct machine_clock final : clock {
  timestamp_ms shown{duration_ms{1'700'000'000'000}};
  duration_ms up{5'000};

  timestamp_ms wall() const override { return shown; }
  duration_ms monotonic() const override { return up; }
};

// A machine whose time goes on in small steps, with what it hears of others half a second late.
struct late_listener {
  void run(duration_ms span, std::optional<duration_ms> heard) {
    for (const auto until = machine.up + span; machine.up < until;) {
      machine.up += duration_ms{20};
      machine.shown += duration_ms{20};
      time.follow(heard);
    }
  }
  // Of the time that it would be without any leap.
  duration_ms off() const { return time.wall() - (began + (machine.up - duration_ms{5'000})); }
  void leap(duration_ms by) { machine.shown += by; }

  machine_clock machine;
  const timestamp_ms began = machine.shown;
  even_clock time{machine};
};

constexpr duration_ms hour{3'600'000};
constexpr duration_ms none{0};

BOOST_FIXTURE_TEST_SUITE(even_clocks, late_listener)

BOOST_AUTO_TEST_CASE(it_shows_the_machines_time_and_goes_on_between_two_looks) {
  run(duration_ms{1'000}, none);
  BOOST_TEST((time.wall() == machine.shown));
  machine.up += duration_ms{7};
  BOOST_TEST((time.wall() == machine.shown + duration_ms{7}));
}

BOOST_AUTO_TEST_CASE(a_leap_is_not_followed_when_others_say_that_it_is_wrong) {
  for (const auto by : {hour, -hour, duration_ms{2'000}, duration_ms{-2'000}}) {
    leap(by);
    run(duration_ms{600}, none);  // not heard of yet
    BOOST_TEST((off() == none));
    run(duration_ms{10'000}, by);
    BOOST_TEST((off() == none));
    leap(-by);
    run(duration_ms{600}, by);
    BOOST_TEST((off() == none));
    run(duration_ms{10'000}, none);
    BOOST_TEST((off() == none));
  }
}

BOOST_AUTO_TEST_CASE(a_leap_that_others_made_too_is_followed_after_a_while) {
  leap(hour);
  run(even_clock::doubt - duration_ms{40}, none);
  BOOST_TEST((off() == none));
  run(duration_ms{100}, none);
  BOOST_TEST((off() == hour));
}

BOOST_AUTO_TEST_CASE(with_nobody_to_ask_the_machine_is_believed_at_once) {
  leap(-hour);
  run(duration_ms{20}, std::nullopt);
  BOOST_TEST((off() == -hour));
}

BOOST_AUTO_TEST_CASE(small_corrections_are_followed_at_once) {
  leap(even_clock::step_max);
  run(duration_ms{20}, none);
  BOOST_TEST((off() == even_clock::step_max));
}

BOOST_AUTO_TEST_CASE(a_node_that_starts_with_a_wrong_clock_takes_the_others_time) {
  run(even_clock::doubt + duration_ms{100}, hour);
  BOOST_TEST((off() == -hour));
  BOOST_TEST((time.wall() == machine.shown - hour));
}

BOOST_AUTO_TEST_CASE(what_is_heard_late_for_a_moment_moves_nothing) {
  run(duration_ms{1'000}, none);
  run(duration_ms{500}, duration_ms{30'000});  // reports that waited while the process stood still
  run(duration_ms{1'000}, none);
  BOOST_TEST((off() == none));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace even_clock_test
}  // namespace omnicart
