#include "http/cluster_report.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

namespace omnicart::http {
namespace cluster_report_test {

using cluster_record::node_id;
using cluster_record::node_state;

// Nodes n1 to nN, and six shards with the record's own group, all on all.
cluster_report sound(std::size_t nodes) {
  cluster_report of{.cluster = std::string(32, 'c'),
                    .self = 1,
                    .at = timestamp_ms{std::chrono::hours(1)},
                    .shard_count = 5,
                    .settings = {},
                    .nodes = {},
                    .shards = {},
                    .operations = {}};
  std::vector<node_id> voters;
  for (node_id id = 1; id <= nodes; ++id) {
    voters.push_back(id);
    of.nodes.push_back({.what = {.id = id,
                                 .name = "n" + std::to_string(id),
                                 .link = "10.0.0.1:7000",
                                 .http = {},
                                 .operators = {},
                                 .state = node_state::active,
                                 .since = {}},
                        .version = "0.1.0"});
  }
  for (std::uint16_t shard = 0; shard <= of.shard_count; ++shard) {
    cluster_report::shard s{.number = shard,
                            .term = 3,
                            .leader = 1,
                            .voters = {},
                            .standbys = {},
                            .desired = {.voters = voters, .pinned = false}};
    for (const auto id : voters) s.voters.push_back({.node = id, .lag = 0});
    of.shards.push_back(std::move(s));
  }
  return of;
}

cluster_report with(cluster_report of, const auto& change) {
  change(of);
  return of;
}

std::string told(const cluster_report& of) {
  std::string all;
  for (const auto& w : judge(of))
    all += (w.severe ? "!! " : "! ") + w.what + "; " + w.advice + '\n';
  return all;
}

BOOST_AUTO_TEST_SUITE(cluster_report_suite)

BOOST_AUTO_TEST_CASE(each_trouble_is_named_with_what_to_do) {
  const auto leaves = [](std::size_t node, const auto& more) {
    return [node, more](cluster_report& of) {
      of.nodes[node].what.state = node_state::draining;
      more(of);
    };
  };
  const auto drop = [](cluster_report& of) {
    for (auto& s : of.shards) s.voters.pop_back();
  };
  const struct {
    const char* claim;
    cluster_report of;
    std::string told;
  } rows[] = {
      {"nothing", sound(3), ""},
      {"a node alone is as it is", sound(1), ""},
      {"no cluster",
       {},
       "!! this node belongs to no cluster; start it, or let an existing cluster take it: "
       "omnicartctl cluster join\n"},
      {"two voters", sound(2),
       "! 6 shards have two voters: losing one node stops writes; add a third node: omnicartctl "
       "cluster join\n"},
      {"one of three is away",
       with(sound(3),
            [](cluster_report& of) {
              of.nodes[2].reachable = false;
              of.nodes[2].silent_for = std::chrono::seconds(130);
            }),
       "! n3 cannot be reached since 2 min; it votes in 6 shards; start it again; if it or its "
       "disk is gone, add another node and run omnicartctl cluster replace n3 NEW\n"},
      {"two of three are away",
       with(sound(3),
            [](cluster_report& of) { of.nodes[1].reachable = of.nodes[2].reachable = false; }),
       "!! 6 shards cannot be written to: fewer than half of the voters can be reached; start "
       "these again, or repair the network to them: n2, n3\n"
       "! n2 cannot be reached since 0 s; it votes in 6 shards; start it again; if it or its disk "
       "is gone, add another node and run omnicartctl cluster replace n2 NEW\n"
       "! n3 cannot be reached since 0 s; it votes in 6 shards; start it again; if it or its disk "
       "is gone, add another node and run omnicartctl cluster replace n3 NEW\n"},
      {"a shard chooses its leader",
       with(sound(3), [](cluster_report& of) { of.shards[2].leader = 0; }),
       "!! 1 shard without a leader; one is chosen within seconds; if this stays, look for "
       "\"raft\" in the nodes' logs\n"},
      {"a replica here stopped",
       with(sound(3), [](cluster_report& of) { of.shards[2].stopped = true; }),
       "!! n1 takes no part in 1 shard any more: a leader contradicts what was committed on n1; "
       "one of them has lost its disk's content: see \"replica stopped\" in the log of n1; if it "
       "was n1, add another node and run omnicartctl cluster replace n1 NEW\n"},
      {"a draining node still leads", with(sound(3), leaves(0, [](auto&) {})),
       "! n1 is draining and still leads 6 shards; wait: others take over\n"},
      {"it keeps what nobody else can take", with(sound(3), leaves(1, [](auto&) {})),
       "! n2 leads nothing and keeps its replicas, for there are 2 other active nodes for 3; "
       "restart it now if that was the aim, then omnicartctl cluster resume n2; to remove it, add "
       "a node first, or run omnicartctl cluster configure --replicas 2\n"},
      {"it gives them away",
       with(sound(4), leaves(1, [](cluster_report& of) { of.settings.replicas = 3; })),
       "! n2 is draining and still votes in 6 shards; wait: others take them over; to restart it, "
       "you need not\n"},
      {"it is empty", with(sound(4), leaves(3, drop)),
       "! n4 is drained; omnicartctl cluster remove n4, or keep it: omnicartctl cluster resume "
       "n4\n"},
      {"a node does not come",
       with(sound(3),
            [](cluster_report& of) {
              of.nodes[2].what.state = node_state::joining;
              of.nodes[2].what.since = of.at - std::chrono::minutes(5);
            }),
       "! n3 has been joining for 5 min; look whether it runs, listens at 10.0.0.1:7000, and has a "
       "certificate of this cluster for node 3\n"},
      {"a clock is wrong",
       with(sound(3), [](cluster_report& of) { of.nodes[1].clock_offset = duration_ms{-730}; }),
       "! the clock of n2 is 730 ms behind the others: it leads nothing; see to its time "
       "synchronisation (NTP)\n"},
      {"a clock is right enough",
       with(sound(3), [](cluster_report& of) { of.nodes[1].clock_offset = duration_ms{500}; }), ""},
      {"a node is far behind",
       with(sound(3), [](cluster_report& of) { of.shards[4].voters[2].lag = 12'345; }),
       "! n3 is up to 12345 entries behind; it catches up by itself; if this number grows, its "
       "disk or network is too slow\n"},
      {"builds differ", with(sound(3), [](cluster_report& of) { of.nodes[2].version = "0.2.0"; }),
       "! nodes run different builds: 0.1.0, 0.2.0; fine while you upgrade one after the other; "
       "then make them equal\n"},
  };
  for (const auto& row : rows) BOOST_TEST_CONTEXT(row.claim) {
      BOOST_TEST(told(row.of) == row.told);
    }
}

BOOST_AUTO_TEST_CASE(a_shard_moves_until_raft_has_what_is_wanted) {
  auto s = sound(3).shards[0];
  BOOST_TEST(!is_moving(s));
  s.desired.voters = {1, 3, 2};  // the order of the others says nothing
  BOOST_TEST(!is_moving(s));
  s.desired.voters = {2, 1, 3};
  BOOST_TEST(is_moving(s));
  s.desired.voters = {1, 2};
  BOOST_TEST(is_moving(s));
}

BOOST_AUTO_TEST_CASE(whom_the_voters_of_now_need_is_named_with_what_is_missing) {
  const auto away = [](std::size_t node) {
    return [node](cluster_report& of) { of.nodes[node].reachable = false; };
  };
  const auto vote = [](cluster_report::shard& s, std::vector<node_id> voters) {
    s.voters.clear();
    for (const auto id : voters) s.voters.push_back({.node = id, .lag = {}});
  };
  const std::string advice =
      "; start what is missing, or wait until the moves are through: omnicartctl cluster status";
  const struct {
    const char* claim;
    cluster_report of;
    node_id node;
    std::string told;
  } rows[] = {
      {"one of three", sound(3), 3, ""},
      {"the dead one of three", with(sound(3), away(2)), 3, ""},
      {"another than the dead one", with(sound(3), away(2)), 2,
       "without n2, 6 shards have no majority of the voters there are now: n3 cannot be reached" +
           advice},
      {"one of two", sound(2), 2,
       "without n2, 6 shards have no majority of the voters there are now" + advice},
      {"the dead one, as it votes nowhere any more",
       with(sound(4),
            [&](cluster_report& of) {
              away(3)(of);
              for (auto& s : of.shards) vote(s, {1, 2, 3});
            }),
       4, ""},
      {"one that the record wants nowhere, and a shard still has",
       with(sound(3),
            [&](cluster_report& of) {
              away(2)(of);
              for (auto& s : of.shards) s.desired.voters = {1};
              for (auto& s : of.shards) vote(s, {1});
              vote(of.shards[5], {1, 2, 3});
            }),
       2,
       "without n2, 1 shard has no majority of the voters there are now: n3 cannot be reached" +
           advice},
      {"a voter that was removed is away",
       with(sound(2),
            [&](cluster_report& of) {
              for (auto& s : of.shards) vote(s, {1, 2, 9});
            }),
       2,
       "without n2, 6 shards have no majority of the voters there are now: node 9 cannot be "
       "reached" +
           advice},
      {"voters that are not known",
       with(sound(3), [](cluster_report& of) { of.shards[0].voters.clear(); }), 3,
       "n1 does not know who votes in 1 shard: ask another node, or wait until it does"},
  };
  for (const auto& row : rows) BOOST_TEST_CONTEXT(row.claim) {
      BOOST_TEST(needed_by_voters(row.of, row.node) == row.told);
    }
}

BOOST_AUTO_TEST_CASE(a_node_is_named_by_its_number_or_its_name) {
  const auto of = sound(3);
  BOOST_TEST(find_node(of, "2")->what.id == 2u);
  BOOST_TEST(find_node(of, "n2")->what.id == 2u);
  for (const char* none : {"", "4", "02", "2 ", "n4"})
    BOOST_TEST(find_node(of, none) == nullptr, none);
}

BOOST_AUTO_TEST_CASE(the_json_has_what_each_node_holds) {
  auto of = sound(3);
  of.shards[0].standbys = {{.node = 3, .lag = {}}};
  const auto told = nlohmann::json::parse(to_json(of));
  BOOST_TEST(told["nodes"][0]["leads"] == 6);
  BOOST_TEST(told["nodes"][2]["replicas"] == 6);
  BOOST_TEST(told["nodes"][2]["standbys"] == 1);
  BOOST_TEST(told["nodes"][0]["clock_offset_ms"].is_null());
  BOOST_TEST(told["shards"][5]["own"] == true);
  BOOST_TEST(told["shards"][0]["standbys"][0]["lag"].is_null());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cluster_report_test
}  // namespace omnicart::http
