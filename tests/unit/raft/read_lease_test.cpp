#include "cluster/raft/read_lease.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace omnicart::raft {
namespace read_lease_test {

using std::chrono::milliseconds;

constexpr milliseconds election_timeout{1000};  // so a lease lasts 800

struct echo {
  node_id from;
  int sent_at;
};

struct row {
  std::string claim;
  std::vector<node_id> voters;
  std::vector<echo> echoes;
  int now;
  int expires_at;  // 0: no lease
};

const row rows[] = {
    {"nobody echoed anything", {1, 2, 3}, {}, 100, 0},
    {"one of two others is a majority of three", {1, 2, 3}, {{2, 100}}, 150, 900},
    {"the later of two counts", {1, 2, 3}, {{2, 100}, {3, 200}}, 250, 1000},
    {"of five, the second latest counts",
     {1, 2, 3, 4, 5},
     {{2, 100}, {3, 300}, {4, 200}},
     350,
     1000},
    {"of five, one other is none", {1, 2, 3, 4, 5}, {{2, 100}}, 150, 0},
    {"of four, two others are needed", {1, 2, 3, 4}, {{2, 100}}, 150, 0},
    {"of four, the earlier of two counts", {1, 2, 3, 4}, {{2, 100}, {3, 200}}, 250, 900},
    {"of two, the other is needed", {1, 2}, {}, 100, 0},
    {"of two, the other counts", {1, 2}, {{2, 100}}, 150, 900},
    {"a lone voter has one from now on", {1}, {}, 100, 900},
    {"who has no vote does not count", {1, 2, 3}, {{4, 100}, {5, 100}}, 150, 0},
    {"stamps come back in any order", {1, 2, 3}, {{2, 300}, {2, 100}}, 350, 1100},
    {"no stamp is no echo", {1, 2, 3}, {{2, 0}}, 100, 0},
    {"a leader without a vote has none", {2, 3}, {{2, 100}, {3, 100}}, 150, 0},
    {"the time of asking does not stretch it", {1, 2, 3}, {{2, 100}}, 5000, 900},
};

read_lease lease_of(const std::vector<echo>& echoes) {
  read_lease lease(election_timeout);
  lease.begin();
  for (const auto& e : echoes) lease.echoed(e.from, milliseconds{e.sent_at});
  return lease;
}

const std::vector<node_id> three{1, 2, 3};

bool holds(const read_lease& lease, int now) { return lease.holds(milliseconds{now}, 1, three); }

BOOST_AUTO_TEST_SUITE(raft_read_lease)

BOOST_AUTO_TEST_CASE(the_lease_runs_from_the_send_time_that_a_majority_echoed) {
  for (const auto& r : rows) {
    BOOST_TEST_CONTEXT(r.claim) {
      const auto end = lease_of(r.echoes).expires_at(milliseconds{r.now}, 1, r.voters);
      BOOST_TEST((end ? end->count() : 0) == r.expires_at);
      BOOST_TEST(lease_of(r.echoes).holds(milliseconds{r.now}, 1, r.voters) ==
                 (r.now < r.expires_at));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_lease_is_over_at_eight_tenths_of_the_election_timeout) {
  const auto lease = lease_of({{2, 100}});
  BOOST_TEST(holds(lease, 899));
  BOOST_TEST(!holds(lease, 900));
}

BOOST_AUTO_TEST_CASE(a_new_term_begins_without_a_lease) {
  auto lease = lease_of({{2, 100}});
  lease.begin();
  BOOST_TEST(!holds(lease, 150));
}

BOOST_AUTO_TEST_CASE(a_transfer_ends_the_lease_until_it_is_given_up) {
  auto lease = lease_of({{2, 100}});
  lease.suspend();
  BOOST_TEST(!holds(lease, 150));
  lease.echoed(3, milliseconds{140});
  BOOST_TEST(!holds(lease, 150));
  lease.resume();
  BOOST_TEST(holds(lease, 150));
}

BOOST_AUTO_TEST_CASE(a_request_to_stand_that_left_is_only_harmless_behind_a_later_commit) {
  auto lease = lease_of({{2, 100}});
  lease.suspend();
  lease.distrust(7);
  BOOST_TEST(!holds(lease, 150));
  lease.committed(7);
  BOOST_TEST(!holds(lease, 150));
  // A second transfer that never left does not make up for the first.
  lease.suspend();
  lease.resume();
  BOOST_TEST(!holds(lease, 150));
  lease.committed(8);
  BOOST_TEST(holds(lease, 150));
}

BOOST_AUTO_TEST_CASE(a_commit_does_not_end_a_transfer_under_way) {
  auto lease = lease_of({{2, 100}});
  lease.distrust(7);
  lease.suspend();
  lease.committed(8);
  BOOST_TEST(!holds(lease, 150));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace read_lease_test
}  // namespace omnicart::raft
