#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "cluster/placement/next_step.hpp"
#include "cluster/placement/plan.hpp"
#include "tests/unit/cluster/placement/toy_cluster.hpp"

namespace omnicart::cluster {

std::ostream& operator<<(std::ostream& out, const std::optional<shard_step>& step) {
  return step ? out << to_string(step->what) << ' ' << step->node : out << "none";
}

namespace placement_test {

using raft::role;
using trial::toy_cluster;
using catch_up_state = raft::raft_group::catch_up_state;

std::vector<std::uint32_t> seeds(std::uint32_t count) {
  if (const char* one = std::getenv("OMNICART_SEED"))
    return {static_cast<std::uint32_t>(std::strtoul(one, nullptr, 10))};
  std::vector<std::uint32_t> list(count);
  for (std::uint32_t i = 0; i < count; ++i) list[i] = i + 1;
  return list;
}

toy_cluster grown(std::size_t nodes, std::size_t shards = 16) {
  toy_cluster all(1, shards);
  for (std::size_t n = 1; n < nodes; ++n) all.add_node();
  BOOST_REQUIRE(all.settles(5'000));
  BOOST_TEST(all.complaint() == "");
  return all;
}

BOOST_AUTO_TEST_SUITE(placement)

BOOST_AUTO_TEST_CASE(a_node_alone_moves_nothing) {
  toy_cluster one(1, 16);
  for (int i = 0; i < 50; ++i) one.tick();
  BOOST_TEST(one.moves() == 0u);
}

BOOST_AUTO_TEST_CASE(a_cluster_grows_to_even_loads_and_then_rests) {
  for (const std::size_t nodes : {2u, 3u, 4u, 5u, 7u}) {
    BOOST_TEST_CONTEXT(nodes << " nodes") {
      auto all = grown(nodes, 64);
      BOOST_TEST(all.most_moving() == 4u);
      BOOST_TEST(all.wanted(0).voters.size() == std::min<std::size_t>(nodes, 3));
      BOOST_TEST(all.wanted(64).voters.size() == std::min<std::size_t>(nodes, 5));
      for (int i = 0; i < 100; ++i) all.tick();
      BOOST_TEST(all.moves() == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_is_away_for_a_while_moves_no_replica) {
  auto all = grown(5);
  const auto wanted = all.wanted(0);
  all.kill(5);
  for (int i = 0; i < 20; ++i) all.tick();
  all.revive(5);
  BOOST_TEST(all.settles(500));
  BOOST_TEST((all.wanted(0) == wanted));
  BOOST_TEST(all.complaint() == "");
}

BOOST_AUTO_TEST_CASE(a_dead_node_is_replaced_where_another_is_free) {
  auto all = grown(4);
  all.kill(4);
  BOOST_TEST(all.settles(2'000));
  BOOST_TEST(all.replicas_of(4) == 0u);
  for (std::size_t shard = 0; shard < 16; ++shard)
    BOOST_TEST(all.wanted(shard).voters.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_dead_node_keeps_its_votes_where_no_other_is_free) {
  auto all = grown(3);
  all.kill(3);
  BOOST_TEST(all.settles(2'000));
  BOOST_TEST(all.replicas_of(3) == 16u);
  BOOST_TEST(all.leads_of(3) == 0u);
  all.revive(3);
  BOOST_TEST(all.settles(2'000));
  BOOST_TEST(all.complaint() == "");
}

BOOST_AUTO_TEST_CASE(a_draining_node_gives_up_its_leaderships_before_any_replica) {
  auto all = grown(4, 32);
  const auto replicas = all.replicas_of(2);
  all.drain(2);
  for (int i = 0; i < 1'000 && all.leads_of(2) > 0; ++i) {
    BOOST_REQUIRE(all.replicas_of(2) == replicas);
    all.tick();
  }
  BOOST_TEST(all.leads_of(2) == 0u);
  BOOST_TEST(all.settles(5'000));
  BOOST_TEST(all.replicas_of(2) == 0u);
  BOOST_TEST(all.remove(2, false));
  BOOST_TEST(all.settles(5'000));
  BOOST_TEST(all.complaint() == "");
}

BOOST_AUTO_TEST_CASE(one_of_three_drains_its_leaderships_and_keeps_its_replicas) {
  auto all = grown(3);
  all.drain(3);
  BOOST_TEST(all.settles(2'000));
  BOOST_TEST(all.leads_of(3) == 0u);
  BOOST_TEST(all.replicas_of(3) == 16u);
  all.resume(3);
  BOOST_TEST(all.settles(2'000));
  BOOST_TEST(all.complaint() == "");
}

BOOST_AUTO_TEST_CASE(fewer_replicas_let_the_draining_go) {
  auto all = grown(3);
  all.drain(2);
  all.drain(3);
  BOOST_TEST(all.settles(2'000));
  BOOST_TEST(!all.remove(3, false));
  all.configure(1, 4);
  BOOST_TEST(all.settles(2'000));
  BOOST_TEST(all.remove(3, false));
  BOOST_TEST(all.remove(2, false));
  BOOST_TEST(all.settles(2'000));
  BOOST_TEST(all.replicas_of(1) == 16u);
  BOOST_TEST(all.complaint() == "");
}

BOOST_AUTO_TEST_CASE(a_replacement_takes_over_from_a_lost_node) {
  auto all = grown(3);
  all.lose(2);  // 4 comes for it
  BOOST_TEST(all.settles(5'000));
  BOOST_TEST(all.replicas_of(2) == 0u);
  BOOST_TEST(all.replicas_of(4) == 16u);
}

BOOST_AUTO_TEST_CASE(a_replacement_moves_a_few_shards_at_a_time) {
  auto all = grown(4, 64);
  all.configure(3, 2);
  BOOST_TEST(all.most_begun() <= 4u);
  all.replace(2, 4);  // rewrites all lists that name node 2 and not 4, in one event
  BOOST_TEST(all.settles(20'000));
  BOOST_TEST(all.replicas_of(2) == 0u);
  BOOST_TEST(all.most_moving() > 4u);
  BOOST_TEST(all.most_begun() == 2u);
}

BOOST_AUTO_TEST_CASE(the_lowest_of_the_moving_shards_take_steps) {
  const auto wish = [](node_id n) { return plan_wish{.voters = {n}, .pinned = false}; };
  const plan_seen led{.voters = {1}, .leader = 1};
  const plan_seen leaderless{.voters = {1}, .leader = no_node};
  const plan_input in{.nodes = {{.node = 1}, {.node = 2}},
                      .wanted = {wish(2), wish(1), wish(2), wish(2), wish(2), wish(1), wish(2)},
                      .seen = {leaderless, led, led, led, led, led, led},
                      .replicas = 1,
                      .moves_max = 2};
  BOOST_TEST((may_step(in) == std::vector<bool>{true, true, true, true, false, true, true}));
}

BOOST_AUTO_TEST_CASE(a_chosen_leader_is_left_alone_until_balance_is_asked_for) {
  auto all = grown(3, 6);
  for (std::size_t shard = 0; shard < 6; ++shard) all.transfer(shard, 3);
  BOOST_TEST(all.settles(500));
  BOOST_TEST(all.leads_of(3) == 6u);
  all.rebalance();
  BOOST_TEST(all.settles(500));
  BOOST_TEST(all.leads_of(3) == 2u);
}

BOOST_AUTO_TEST_CASE(surplus_votes_are_taken_from_the_dead_before_the_draining) {
  const plan_wish wish{.voters = {1, 2, 3}, .pinned = false};
  const plan_seen seen{.voters = {1, 2, 3}, .leader = 1};
  const plan_input in{.nodes = {{.node = 1},
                                {.node = 2, .active = false},
                                {.node = 3, .active = true, .reachable = false, .dead = true}},
                      .wanted = {wish, wish},
                      .seen = {seen, seen},
                      .replicas = 2,
                      .moves_max = 4};
  BOOST_TEST((plan(in) == std::vector<planned>{{.shard = 0, .voters = {1, 2}}}));
}

BOOST_AUTO_TEST_CASE(what_is_not_seen_is_left_alone) {
  const plan_wish wish{.voters = {1}, .pinned = false};
  const plan_input in{.nodes = {{.node = 1}, {.node = 2}},
                      .wanted = {wish, wish, wish},
                      .seen = {{}, {.voters = {1}, .leader = 1}, {.voters = {1}, .leader = 1}},
                      .replicas = 3,
                      .moves_max = 4};
  BOOST_TEST((plan(in) == std::vector<planned>{{.shard = 1, .voters = {1, 2}},
                                               {.shard = 2, .voters = {1, 2}}}));
}

BOOST_AUTO_TEST_CASE(whatever_happens_majorities_stay_and_all_comes_to_rest) {
  for (const auto seed : seeds(80)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      toy_cluster all(seed, 4 + seed % 13);
      std::mt19937 chance(seed);
      for (int i = 0; i < 600; ++i) {
        if (chance() % 12 == 0) all.something_happens();
        all.tick();
      }
      all.calm_down();
      BOOST_TEST(all.settles(10'000));
      BOOST_TEST(all.complaint() == "");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

// A shard of three, led by 1; what is not said is well.
struct seen_of {
  std::vector<member_seen> members;
  std::vector<node_id> strangers;
  shard_seen seen(node_id self = 1, bool serving = true) const {
    return {.self = self,
            .serving = serving,
            .last = 5'000,
            .members = members,
            .reachable_strangers = strangers};
  }
};
member_seen voter(node_id n) {
  return {.node = n, .as = role::voter, .match = 5'000, .catch_up = {}, .reachable = true};
}
member_seen standby(node_id n, catch_up_state caught = catch_up_state::none) {
  return {.node = n, .as = role::standby, .match = 5'000, .catch_up = caught, .reachable = true};
}
member_seen away(member_seen m) {
  m.reachable = false;
  return m;
}
member_seen refusing(member_seen m) {
  m.may_lead = false;
  return m;
}
member_seen behind(member_seen m) {
  m.match = 5'000 - lag_entries_max - 1;
  return m;
}

BOOST_AUTO_TEST_SUITE(shard_steps)

BOOST_AUTO_TEST_CASE(each_situation_has_its_next_step) {
  using kind = shard_step::kind;
  const auto done = catch_up_state::done;
  const auto running = catch_up_state::running;
  const auto step = [](kind what, node_id n) { return std::optional(shard_step{what, n}); };
  const std::optional<shard_step> none;
  const struct {
    const char* claim;
    shard_wish wish;
    seen_of of;
    std::optional<shard_step> next;
  } rows[] = {
      {"all is as wished", {{1, 2, 3}, {}}, {{voter(1), voter(2), voter(3)}, {}}, none},
      {"a newcomer is added without a vote",
       {{1, 2}, {}},
       {{voter(1)}, {2}},
       step(kind::add_standby, 2)},
      {"not one that cannot be reached", {{1, 2}, {}}, {{voter(1)}, {}}, none},
      {"future voters come before standbys",
       {{1, 2}, {3}},
       {{voter(1)}, {3, 2}},
       step(kind::add_standby, 2)},
      {"then standbys come", {{1}, {1, 2}}, {{voter(1)}, {2}}, step(kind::add_standby, 2)},
      {"a spare gets the log",
       {{1}, {2}},
       {{voter(1), {.node = 2, .as = role::spare, .match = 0, .catch_up = {}, .reachable = true}},
        {}},
       step(kind::make_standby, 2)},
      {"a future voter is caught up",
       {{1, 2}, {}},
       {{voter(1), standby(2)}, {}},
       step(kind::catch_up, 2)},
      {"again when it gave up",
       {{1, 2}, {}},
       {{voter(1), standby(2, catch_up_state::gave_up)}, {}},
       step(kind::catch_up, 2)},
      {"or fell behind",
       {{1, 2}, {}},
       {{voter(1), behind(standby(2, done))}, {}},
       step(kind::catch_up, 2)},
      {"which takes its time", {{1, 2}, {3}}, {{voter(1), standby(2, running)}, {3}}, none},
      {"not while it is away", {{1, 2}, {}}, {{voter(1), away(standby(2))}, {}}, none},
      {"then it votes", {{1, 2}, {}}, {{voter(1), standby(2, done)}, {}}, step(kind::promote, 2)},
      {"while two of three are there",
       {{1, 2, 4}, {}},
       {{voter(1), voter(2), away(voter(3)), standby(4, done)}, {}},
       step(kind::promote, 4)},
      {"not when too few would be",
       {{1, 2, 3, 5}, {}},
       {{voter(1), voter(2), away(voter(3)), behind(voter(4)), standby(5, done)}, {}},
       none},
      {"a vote is taken from who is not wished",
       {{1, 2}, {}},
       {{voter(1), voter(2), voter(3)}, {}},
       step(kind::remove, 3)},
      {"who stays as a standby",
       {{1, 2}, {3}},
       {{voter(1), voter(2), voter(3)}, {}},
       step(kind::make_standby, 3)},
      {"the silent first",
       {{1, 2, 3}, {}},
       {{voter(1), voter(2), voter(3), voter(4), away(voter(5))}, {}},
       step(kind::remove, 5)},
      {"not before another has its vote",
       {{1, 2, 4}, {}},
       {{voter(1), voter(2), voter(3)}, {}},
       none},
      {"not when the rest would be no majority",
       {{1, 2}, {}},
       {{voter(1), away(voter(2)), voter(3)}, {}},
       none},
      {"standbys that are not wished go",
       {{1}, {}},
       {{voter(1), away(standby(2))}, {}},
       step(kind::remove, 2)},
      {"the preferred one leads",
       {{2, 1}, {}},
       {{voter(1), voter(2)}, {}},
       step(kind::transfer, 2)},
      {"also before others move",
       {{2, 1, 3}, {}},
       {{voter(1), voter(2), standby(3, running)}, {}},
       step(kind::transfer, 2)},
      {"not while it is away", {{2, 1, 3}, {}}, {{voter(1), away(voter(2)), voter(3)}, {}}, none},
      {"not when it has just not taken over",
       {{2, 1, 3}, {}},
       {{voter(1), refusing(voter(2)), voter(3)}, {}},
       none},
      {"others move meanwhile",
       {{2, 1, 3}, {}},
       {{voter(1), refusing(voter(2)), standby(3)}, {}},
       step(kind::catch_up, 3)},
      {"another leads where the leader is not wished",
       {{2, 3}, {}},
       {{voter(1), refusing(voter(2)), voter(3)}, {}},
       step(kind::transfer, 3)},
      {"not while it is behind",
       {{2, 1, 3}, {}},
       {{voter(1), behind(voter(2)), voter(3)}, {}},
       none},
      {"who is not wished hands over",
       {{2, 3}, {}},
       {{voter(1), away(voter(2)), voter(3)}, {}},
       step(kind::transfer, 3)},
      {"once somebody can take it",
       {{2}, {}},
       {{voter(1), standby(2)}, {}},
       step(kind::catch_up, 2)},
      {"without a majority nothing moves",
       {{1}, {4}},
       {{voter(1), away(voter(2)), away(voter(3))}, {4}},
       none},
      {"nothing is wished", {{}, {}}, {{voter(1), voter(2)}, {}}, none},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.claim) {
      const auto got = next_step(row.wish, row.of.seen());
      BOOST_TEST((got == row.next), got << " instead of " << row.next);
    }
  }
}

BOOST_AUTO_TEST_CASE(only_who_leads_takes_steps) {
  const seen_of two{{voter(1), voter(2)}, {3}};
  BOOST_TEST(!next_step({.voters = {2, 3}, .standbys = {}}, two.seen(1, false)).has_value());
}

BOOST_AUTO_TEST_CASE(a_group_takes_no_more_than_16_members) {
  seen_of full;
  for (node_id n = 1; n <= raft::servers_max; ++n)
    full.members.push_back(n == 1 ? voter(n) : standby(n));
  full.strangers = {17};
  shard_wish wish{.voters = {1}, .standbys = {}};
  for (node_id n = 2; n <= 17; ++n) wish.standbys.push_back(n);
  BOOST_TEST(!next_step(wish, full.seen()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace placement_test
}  // namespace omnicart::cluster
