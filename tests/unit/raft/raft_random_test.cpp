#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

#include "tests/unit/raft/raft_cluster.hpp"

// Many short lives of a group under everything that may go wrong. OMNICART_RAFT_SEED=N runs that
// seed alone, OMNICART_RAFT_SEEDS=N so many.
namespace omnicart::raft {
namespace raft_random_test {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

// What differs from seed to seed beside the dice.
cluster_options options_of(std::uint64_t seed) {
  cluster_options options{.seed = seed};
  if (seed % 5 == 0) options.voters = {1};
  if (seed % 5 == 1) options.voters = {1, 2, 3, 4, 5};
  if (seed % 5 != 1)
    options.joiners = seed % 5 == 0 ? std::vector<node_id>{2, 3} : std::vector<node_id>{4, 5};
  if (seed % 2 == 0) options.network = {.late_percent = 3, .lost_percent = 4, .doubled_percent = 3};
  if (seed % 3 == 0) options.snapshot_every = 12;
  if (seed % 7 == 0) options.disk_us_max = 60'000;
  if (seed % 4 == 0) options.group.memory_bytes_max = 600;
  if (seed % 4 == 1) options.group.message_bytes_max = 6;
  options.clock_drift_percent_max = 4;
  return options;
}

struct totals {
  std::uint64_t acknowledged = 0;
  std::uint64_t installs = 0;
  std::uint64_t reads = 0;
};

void live(std::uint64_t seed, totals& sum) {
  try {
    raft_cluster cluster(options_of(seed));
    random_life(cluster, 2500);
    sum.acknowledged += cluster.acknowledged().size();
    sum.installs += cluster.installs();
    sum.reads += cluster.reads();
  } catch (const broken_law& broken) {
    BOOST_ERROR("OMNICART_RAFT_SEED=" << seed << ": " << broken.what());
  }
}

BOOST_AUTO_TEST_SUITE(raft_random)

BOOST_AUTO_TEST_CASE(no_law_is_broken_and_nothing_acknowledged_is_lost) {
  totals sum;
  if (const auto only = setting("OMNICART_RAFT_SEED", 0)) {
    live(only, sum);
    return;
  }
  const auto seeds = setting("OMNICART_RAFT_SEEDS", 500);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) live(seed, sum);
  BOOST_TEST_MESSAGE(seeds << " seeds: " << sum.acknowledged << " writes, " << sum.installs
                           << " snapshots installed, " << sum.reads << " reads from disk");
  // A run in which nothing happens would show nothing.
  BOOST_TEST(sum.acknowledged > seeds * 10);
  BOOST_TEST(sum.installs > seeds / 20);
  BOOST_TEST(sum.reads > seeds / 20);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace raft_random_test
}  // namespace omnicart::raft
