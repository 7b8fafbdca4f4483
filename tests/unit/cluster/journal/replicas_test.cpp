#include <boost/test/unit_test.hpp>

#include "tests/unit/cluster/journal/journal_cluster.hpp"

namespace omnicart::cluster {
namespace {

using kind = raft::membership_change::kind;

constexpr raft::membership_change add(node_id node, raft::role as) {
  return {.what = kind::add, .node = node, .as = as};
}
constexpr raft::membership_change assign(node_id node, raft::role as) {
  return {.what = kind::assign, .node = node, .as = as};
}

bool is_ok(const std::optional<status>& end) { return end && end->has_value(); }
bool is_told(const std::shared_ptr<const sent_item>& item) { return item->told.has_value(); }

BOOST_AUTO_TEST_SUITE(journal_replicas)

BOOST_AUTO_TEST_CASE(a_founder_grows_to_three_and_its_entries_reach_all) {
  journal_cluster cluster(1);
  const auto cart = cluster.entity_of(0, 1);
  const auto early = cluster.send(1, cart);
  cluster.run_for(10);
  BOOST_TEST(is_ok(early->told));
  BOOST_TEST(cluster.view(2, 0).members.servers.empty());

  BOOST_TEST(is_ok(cluster.ask(1, 0, add(2, raft::role::spare))));
  BOOST_TEST(is_ok(cluster.ask_catch_up(1, 0, 2)));
  BOOST_TEST(is_ok(cluster.ask(1, 0, assign(2, raft::role::voter))));
  BOOST_TEST(is_ok(cluster.ask(1, 0, add(3, raft::role::standby))));
  BOOST_TEST(is_ok(cluster.ask_catch_up(1, 0, 3)));
  BOOST_TEST(is_ok(cluster.ask(1, 0, assign(3, raft::role::voter))));

  const auto late = cluster.send(1, cart);
  BOOST_TEST(cluster.run_until([&] { return is_told(late); }));
  BOOST_TEST(is_ok(late->told));
  BOOST_TEST(cluster.run_until([&] { return cluster.agreed(0); }));
  for (const auto node : cluster.nodes()) {
    BOOST_TEST(cluster.events(node, cart) == (std::vector<std::string>{early->text, late->text}));
    BOOST_TEST(raft::voters_of(cluster.view(node, 0).members).size() == 3u);
  }
  const auto seen = cluster.view(1, 0);
  BOOST_TEST(seen.serving);
  BOOST_TEST_REQUIRE(seen.followers.size() == 2u);
  BOOST_TEST(seen.followers[1].match == seen.last);
}

BOOST_AUTO_TEST_CASE(nobody_is_told_and_nothing_applied_before_a_majority_has_it) {
  journal_cluster cluster(2);
  cluster.grow(3);
  cluster.run_for(100);
  const auto lead = cluster.wait_for_leader(0);
  BOOST_TEST(lead == 1u);
  const auto applied = cluster.view(lead, 0).applied;
  cluster.isolate(2);
  cluster.isolate(3);
  const auto item = cluster.send(lead, cluster.entity_of(0, 1));
  cluster.run_for(50);
  BOOST_TEST(!is_told(item));
  BOOST_TEST(cluster.view(lead, 0).last > applied);
  BOOST_TEST(cluster.view(lead, 0).applied == applied);
  BOOST_TEST(cluster.events(lead, item->entity).empty());
  cluster.heal();
  BOOST_TEST(cluster.run_until([&] { return is_told(item); }));
  BOOST_TEST(cluster.run_until([&] { return cluster.agreed(0); }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace omnicart::cluster
