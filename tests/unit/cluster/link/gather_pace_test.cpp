#include "cluster/link/gather_pace.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart::cluster {
namespace gather_pace_test {

using std::chrono::microseconds;

gather_pace::time_point at(std::int64_t us) { return gather_pace::time_point(microseconds(us)); }

BOOST_AUTO_TEST_SUITE(link_gather_pace)

BOOST_AUTO_TEST_CASE(the_more_left_together_the_longer_the_next_gather_but_on_a_common_beat) {
  const struct {
    const char* why;
    std::int64_t now_us;
    std::uint64_t messages;
    std::size_t bytes;
    std::int64_t next_us;
  } rows[] = {
      {"a lone one is followed at once", 10'123, 1, 100, 10'123},
      {"two, too", 10'123, 2, 200, 10'123},
      {"three", 10'500, 3, 300, 10'850},
      {"three between two beats", 10'700, 3, 300, 10'850},
      {"six", 10'500, 6, 600, 11'900},
      {"eight", 10'500, 8, 800, 12'250},
      {"more wait no longer", 10'500, 1'000'000, 60'000, 12'250},
      {"the largest number there is", 10'500, UINT64_MAX, 60'000, 12'250},
      {"a large batch is followed at once", 10'123, 400, gather_pace::large_bytes, 10'123},
      {"one large message, too", 10'123, 1, gather_pace::large_bytes + 1, 10'123},
  };
  for (const auto& row : rows) {
    gather_pace pace;
    pace.left(at(row.now_us), row.messages, row.bytes);
    BOOST_TEST_CONTEXT(row.why) { BOOST_TEST(pace.next().time_since_epoch().count() == row.next_us * 1'000); }
  }
}

BOOST_AUTO_TEST_CASE(the_first_leaves_at_once_and_none_waits_longer_than_the_most) {
  gather_pace pace;
  BOOST_TEST((pace.next() <= at(0)));
  for (std::int64_t now = 1; now < 20'000; now += 7) {
    pace.left(at(now), static_cast<std::uint64_t>(now % 19), 10);
    BOOST_TEST_REQUIRE((pace.next() <= at(now) + gather_pace::most));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gather_pace_test
}  // namespace omnicart::cluster
