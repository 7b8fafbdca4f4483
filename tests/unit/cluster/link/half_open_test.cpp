#include "cluster/link/half_open.hpp"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace omnicart::cluster {
namespace half_open_test {

BOOST_AUTO_TEST_SUITE(link_half_open)

BOOST_AUTO_TEST_CASE(the_oldest_of_whoever_has_most_gives_way) {
  constexpr bool certified = true;
  const struct {
    const char* why;
    std::vector<half_open> all;
    std::size_t goes;
  } rows[] = {
      {"a lone one", {{1}}, 0},
      {"one network: its oldest", {{1}, {1}, {1}}, 0},
      {"who came first is not who has most", {{1}, {2}, {3}, {2}}, 1},
      {"equally many: the oldest of all", {{1}, {2}, {2}, {1}}, 0},
      {"a peer in its handshake stays", {{1, certified}, {1}, {2}}, 1},
      {"what is certified does not count as many", {{1, certified}, {1, certified}, {1}, {2}, {2}}, 3},
      {"unless all are", {{1, certified}, {2, certified}, {2, certified}}, 1},
  };
  for (const auto& row : rows) BOOST_TEST(one_to_give_way(row.all) == row.goes, row.why);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace half_open_test
}  // namespace omnicart::cluster
