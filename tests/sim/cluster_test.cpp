#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "runtime/log.hpp"
#include "tests/sim/cluster_world.hpp"

namespace omnicart::sim {
namespace cluster_test {

std::uint64_t seeds_to_run(std::uint64_t otherwise) {
  const char* text = std::getenv("OMNICART_SIM_SEEDS");
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct quiet_log {
  quiet_log() { log::set_level(log::level::off); }
  ~quiet_log() { log::set_level(log::level::info); }
};

BOOST_FIXTURE_TEST_SUITE(simulated_cluster, quiet_log)

BOOST_AUTO_TEST_CASE(three_nodes_that_are_hurt_keep_the_laws) {
  const auto count = seeds_to_run(200);
  std::uint64_t orders = 0, crashes = 0, compared = 0;
  toll taken;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const auto end = cluster_world(seed, 3).run();
    orders += end.orders;
    crashes += end.crashes;
    compared += end.compared;
    taken.add(end.taken);
    BOOST_TEST(!end.broken, "sim_run --nodes 3 --seed "
                                << seed << ": " << (end.broken ? end.broken->law : "") << ": "
                                << (end.broken ? end.broken->detail : ""));
  }
  // They do something.
  BOOST_TEST(orders > count);
  BOOST_TEST(crashes > 3 * count);
  BOOST_TEST(compared > 10 * count);
  if (count < 200) return;
  for (std::size_t i = 0; i < harm_count; ++i) BOOST_TEST(taken.of(i) > 0U, harm_names[i]);
}

BOOST_AUTO_TEST_CASE(two_and_five_nodes_keep_the_laws_too) {
  for (const node_id nodes : {2, 5}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const auto end = cluster_world(seed, nodes).run();
      BOOST_TEST(!end.broken, "sim_run --nodes " << nodes << " --seed " << seed << ": "
                                                 << (end.broken ? end.broken->law : ""));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_seed_tells_the_same_story_of_three_nodes) {
  for (std::uint64_t seed = 1'001; seed <= 1'005; ++seed) {
    const auto once = cluster_world(seed, 3).run();
    const auto again = cluster_world(seed, 3).run();
    BOOST_TEST(once.trace_hash == again.trace_hash, "seed " << seed);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cluster_test
}  // namespace omnicart::sim
