#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "tests/sim/sim_world.hpp"

namespace omnicart::sim {
namespace {

std::uint64_t seeds_to_run(std::uint64_t otherwise) {
  const char* text = std::getenv("OMNICART_SIM_SEEDS");
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

BOOST_AUTO_TEST_SUITE(simulated_node)

BOOST_AUTO_TEST_CASE(a_shop_that_crashes_keeps_the_laws) {
  const auto count = seeds_to_run(200);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const auto end = sim_world(seed).run();
    BOOST_TEST(!end.broken, "sim_run --seed " << seed << ": " << (end.broken ? end.broken->law : "") << ": "
                                              << (end.broken ? end.broken->detail : ""));
  }
}

BOOST_AUTO_TEST_CASE(the_same_seed_tells_the_same_story) {
  for (std::uint64_t seed = 1'001; seed <= 1'020; ++seed) {
    const auto once = sim_world(seed).run();
    const auto again = sim_world(seed).run();
    BOOST_TEST(once.trace_hash == again.trace_hash, "seed " << seed);
    BOOST_TEST(once.steps == again.steps, "seed " << seed);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace omnicart::sim
