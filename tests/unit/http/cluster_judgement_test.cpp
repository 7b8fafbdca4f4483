#include <boost/test/unit_test.hpp>
#include <string>

#include "http/cluster_report.hpp"
#include "tests/unit/http/sound_cluster.hpp"

namespace omnicart::http {
namespace cluster_judgement_test {

using cluster_record::node_id;
using cluster_record::node_state;
using trial::drain;
using trial::place;
using trial::silence;
using trial::sound_cluster;
using trial::vote;
using trial::with;

// All that is said, so a row also claims what is not.
std::string told(const cluster_report& of) {
  std::string all;
  for (const auto& w : judge(of))
    all += (w.severe ? "!! " : "! ") + w.what + "; " + w.advice + '\n';
  return all;
}

struct row {
  const char* claim;
  cluster_report of;
  std::string told;
};

void check(const std::vector<row>& rows) {
  for (const auto& each : rows) BOOST_TEST_CONTEXT(each.claim) {
      BOOST_TEST(told(each.of) == each.told);
    }
}

BOOST_AUTO_TEST_SUITE(cluster_judgement_suite)

BOOST_AUTO_TEST_CASE(each_trouble_is_named_with_what_to_do) {
  check({
      {"nothing", sound_cluster(3), ""},
      {"a node alone is as it is", sound_cluster(1), ""},
      {"no cluster",
       {},
       "!! this node belongs to no cluster; start it, or let an existing cluster take it: "
       "omnicartctl cluster join\n"},
      {"two of three are away",
       with(sound_cluster(3), [](cluster_report& of) { silence(of, {1, 2}); }),
       "!! 6 shards cannot be written to: fewer than half of the voters can be reached; start "
       "these again, or repair the network to them: n2, n3\n"
       "! n2 cannot be reached since 2 min; it votes in 6 shards; start it again; if it or its disk "
       "is gone, add another node and run omnicartctl cluster replace n2 NEW\n"
       "! n3 cannot be reached since 2 min; it votes in 6 shards; start it again; if it or its disk "
       "is gone, add another node and run omnicartctl cluster replace n3 NEW\n"},
      {"a shard chooses its leader",
       with(sound_cluster(3), [](cluster_report& of) { of.shards[2].leader = 0; }),
       "!! 1 shard without a leader; one is chosen within seconds; if this stays, look for "
       "\"raft\" in the nodes' logs\n"},
      {"a replica here stopped",
       with(sound_cluster(3), [](cluster_report& of) { of.shards[2].stopped = true; }),
       "!! n1 takes no part in 1 shard any more: a leader contradicts what was committed on n1; "
       "one of them has lost its disk's content: see \"replica stopped\" in the log of n1; if it "
       "was n1, add another node and run omnicartctl cluster replace n1 NEW\n"},
      {"a clock is wrong",
       with(sound_cluster(3),
            [](cluster_report& of) { of.nodes[1].clock_offset = duration_ms{-730}; }),
       "! the clock of n2 is 730 ms behind the others: it leads nothing; see to its time "
       "synchronisation (NTP)\n"},
      {"a clock is right enough",
       with(sound_cluster(3),
            [](cluster_report& of) { of.nodes[1].clock_offset = duration_ms{500}; }),
       ""},
      {"a node is far behind",
       with(sound_cluster(3), [](cluster_report& of) { of.shards[4].voters[2].lag = 12'345; }),
       "! n3 is up to 12345 entries behind; it catches up by itself; if this number grows, its "
       "disk or network is too slow\n"},
      {"builds differ",
       with(sound_cluster(3), [](cluster_report& of) { of.nodes[2].version = "0.2.0"; }),
       "! nodes run different builds: 0.1.0, 0.2.0; fine while you upgrade one after the other; "
       "then make them equal\n"},
  });
}

BOOST_AUTO_TEST_CASE(a_draining_node_may_be_stopped_only_while_the_others_are_a_majority) {
  const std::string keeps_for_two =
      "! n2 leads nothing and keeps its replicas, for there are 2 other active nodes for 3";
  const std::string keeps_for_one =
      "leads nothing and keeps its replicas, for there is 1 other active node for 3";
  const std::string dead_n3 =
      "! n3 cannot be reached since 2 min; it votes in 6 shards; start it again; if it or its disk "
      "is gone, add another node and run omnicartctl cluster replace n3 NEW\n";
  check({
      {"the others are there",
       with(sound_cluster(3), [](cluster_report& of) { drain(of, {1}); }),
       keeps_for_two + "; restart it now if that was the aim, then omnicartctl cluster resume n2; "
                       "to remove it, add a node first, or run omnicartctl cluster configure "
                       "--replicas 2\n"},
      {"another one is dead",
       with(sound_cluster(3),
            [](cluster_report& of) {
              drain(of, {1});
              silence(of, {2});
            }),
       keeps_for_two +
           ", of which n3 cannot take any; do not stop it: without n2, 6 shards have no majority: "
           "n3 cannot be reached; first start n3, or keep this one: omnicartctl cluster resume n2; "
           "to remove it, add a node first, or run omnicartctl cluster configure --replicas 2\n" +
           dead_n3},
      {"another one drains as well",
       with(sound_cluster(3), [](cluster_report& of) { drain(of, {1, 2}); }),
       "! n2 " + keeps_for_one +
           "; do not stop it: without n2, 6 shards have no majority: n3 is draining, too; first "
           "omnicartctl cluster resume n3, or keep this one: omnicartctl cluster resume n2; to "
           "remove it, add a node first, or run omnicartctl cluster configure --replicas 1\n"
           "! n3 " +
           keeps_for_one +
           "; do not stop it: without n3, 6 shards have no majority: n2 is draining, too; first "
           "omnicartctl cluster resume n2, or keep this one: omnicartctl cluster resume n3; to "
           "remove it, add a node first, or run omnicartctl cluster configure --replicas 1\n"},
      {"another one is stopping",
       with(sound_cluster(3),
            [](cluster_report& of) {
              drain(of, {1});
              of.nodes[2].unfit.stopping = true;
            }),
       keeps_for_two +
           ", of which n3 cannot take any; do not stop it: without n2, 6 shards have no majority: "
           "n3 is stopping; first start n3, or keep this one: omnicartctl cluster resume n2; to "
           "remove it, add a node first, or run omnicartctl cluster configure --replicas 2\n"
           "! n3 is stopping and gives its leaderships away; wait until it is stopped; start it "
           "again if it is to stay\n"},
      {"there are but two",
       with(sound_cluster(2), [](cluster_report& of) { drain(of, {1}); }),
       "! n2 " + keeps_for_one +
           "; do not stop it: without n2, 6 shards have no majority; add a node first: omnicartctl "
           "cluster join, or keep this one: omnicartctl cluster resume n2; to do without it, run "
           "omnicartctl cluster configure --replicas 1\n"
           "! 6 shards have two voters: losing one node stops writes; add a third node: "
           "omnicartctl cluster join\n"},
      {"a shard that it has no vote in is short of voters",
       with(sound_cluster(4),
            [](cluster_report& of) {
              place(of, {1, 2, 4});
              drain(of, {2});
              of.nodes[2].what.state = node_state::draining;
              silence(of, {1});
            }),
       "! n2 cannot be reached since 2 min; it votes in 6 shards; start it again; if it or its disk "
       "is gone, add another node and run omnicartctl cluster replace n2 NEW\n"
       "! n3 is drained; omnicartctl cluster remove n3, or keep it: omnicartctl cluster resume "
       "n3\n"},
      {"it gives its replicas away, and need not be waited for",
       with(sound_cluster(4), [](cluster_report& of) { drain(of, {1}); }),
       "! n2 is draining and still votes in 6 shards; wait: others take them over; to restart it, "
       "you need not\n"},
      {"it gives them away, and is needed until it has",
       with(sound_cluster(4),
            [](cluster_report& of) {
              place(of, {1, 2, 3});
              drain(of, {1});
              silence(of, {2});
            }),
       "! n2 is draining and still votes in 6 shards; do not stop it: without n2, 6 shards have no "
       "majority: n3 cannot be reached; wait: others take them over\n" +
           dead_n3},
      {"nobody who could take them is there",
       with(sound_cluster(4),
            [](cluster_report& of) {
              place(of, {1, 2, 3});
              drain(of, {1});
              silence(of, {3});
            }),
       "! n2 leads nothing and keeps its replicas, for there are 3 other active nodes for 3, of "
       "which n4 cannot take any; restart it now if that was the aim, then omnicartctl cluster "
       "resume n2; to remove it, start n4 or add another node first\n"
       "! n4 cannot be reached since 2 min; others have taken its place; start it again; if it is "
       "gone, omnicartctl cluster remove n4\n"},
      {"who votes is not known here",
       with(sound_cluster(3),
            [](cluster_report& of) {
              drain(of, {1});
              of.shards[0].voters.clear();
            }),
       "!! 1 shard cannot be written to: fewer than half of the voters can be reached; start these "
       "again, or repair the network to them: \n"
       "! n2 is draining, and n1 does not know who votes in 1 shard; do not stop it: ask another "
       "node, or wait until it does\n"},
      {"fewer replicas were asked for, and it gives its own up",
       with(sound_cluster(3),
            [](cluster_report& of) {
              of.settings.replicas = 2;
              drain(of, {1});
            }),
       "! n2 is draining and still votes in 6 shards; wait: others take them over; to restart it, "
       "you need not\n"},
      {"it is empty",
       with(sound_cluster(4),
            [](cluster_report& of) {
              place(of, {1, 2, 3});
              drain(of, {3});
            }),
       "! n4 is drained; omnicartctl cluster remove n4, or keep it: omnicartctl cluster resume "
       "n4\n"},
      {"it votes nowhere, and is still to",
       with(sound_cluster(4),
            [](cluster_report& of) {
              drain(of, {3});
              for (auto& s : of.shards) vote(s, {1, 2, 3});
            }),
       "! n4 is draining and still votes in 0 shards; wait: others take them over; to restart it, "
       "you need not\n"},
  });
}

// A node is stopped by who believes the words: those of every state of up to five nodes are tried.
BOOST_AUTO_TEST_CASE(whoever_may_be_stopped_leaves_every_shard_a_majority) {
  std::size_t allowed = 0, forbidden = 0;
  for (const std::size_t count : {2u, 3u, 4u, 5u}) {
    std::size_t states = 1;
    for (std::size_t i = 0; i < count; ++i) states *= 4;
    for (std::size_t state = 0; state < states * 2; ++state) {
      auto of = sound_cluster(count);
      std::size_t staying = 0;
      // The replica of who reports takes no part in one shard.
      of.shards.front().stopped = state >= states;
      if (state >= states && state % 4 == 0) --staying;
      for (std::size_t i = 0, rest = state % states; i < count; ++i, rest /= 4) {
        if (rest % 4 & 1) drain(of, {i});
        if (rest % 4 & 2) silence(of, {i});
        staying += rest % 4 == 0;
      }
      for (const auto& w : judge(of)) {
        const auto all = w.what + w.advice;
        const bool allows = all.find("restart it") != std::string::npos;
        allowed += allows;
        forbidden += all.find("do not stop it") != std::string::npos;
        if (allows) BOOST_TEST(staying >= count / 2 + 1, count << " nodes, " << state << ": " << all);
      }
    }
  }
  BOOST_TEST(allowed > 10u);
  BOOST_TEST(forbidden > 100u);
}

BOOST_AUTO_TEST_CASE(a_draining_node_that_leads_waits_only_for_those_who_can_take_over) {
  check({
      {"others can",
       with(sound_cluster(3), [](cluster_report& of) { drain(of, {0}); }),
       "! n1 is draining and still leads 6 shards; wait: others take over\n"},
      {"one is dead, the others drain",
       with(sound_cluster(3),
            [](cluster_report& of) {
              drain(of, {0, 2});
              silence(of, {1});
            }),
       "! n1 is draining and still leads 6 shards, and no active node can take over; do not stop "
       "it: start n2 or add another node, or keep it: omnicartctl cluster resume n1\n"
       "! n2 cannot be reached since 2 min; it votes in 6 shards; start it again; if it or its disk "
       "is gone, add another node and run omnicartctl cluster replace n2 NEW\n"
       "! n3 leads nothing and keeps its replicas, for there is 1 other active node for 3, of which "
       "n2 cannot take any; do not stop it: without n3, 6 shards have no majority: n1 is draining, "
       "too, n2 cannot be reached; first omnicartctl cluster resume n1, start n2, or keep this one: "
       "omnicartctl cluster resume n3; to remove it, add a node first, or run omnicartctl cluster "
       "configure --replicas 1\n"},
      {"the other is unfit",
       with(sound_cluster(2),
            [](cluster_report& of) {
              drain(of, {0});
              of.nodes[1].unfit.disk_low = true;
              for (auto& s : of.shards) s.moving = true;
            }),
       "! n1 is draining and still leads 6 shards, and no active node can take over; do not stop "
       "it: mend n2 or add another node, or keep it: omnicartctl cluster resume n1\n"
       "! the disk of n2 is nearly full: n2 refuses writes and gives its leaderships away; free "
       "space on the disk of its data directory; it is fit again by itself\n"},
  });
}

BOOST_AUTO_TEST_CASE(what_to_do_about_a_silent_node_depends_on_what_it_holds) {
  const std::string until = "wait until others have all its shards, then omnicartctl cluster remove n3\n";
  const auto replaced = [](cluster_report& of) {
    place(of, {1, 2, 4});
    drain(of, {2});
    silence(of, {2});
  };
  check({
      {"one of three",
       with(sound_cluster(3), [](cluster_report& of) { silence(of, {2}); }),
       "! n3 cannot be reached since 2 min; it votes in 6 shards; start it again; if it or its "
       "disk is gone, add another node and run omnicartctl cluster replace n3 NEW\n"},
      {"others took its place after ten minutes",
       with(sound_cluster(4),
            [](cluster_report& of) {
              place(of, {1, 2, 4});
              silence(of, {2});
            }),
       "! n3 cannot be reached since 2 min; others have taken its place; start it again; if it is "
       "gone, omnicartctl cluster remove n3\n"},
      {"it was replaced",
       with(sound_cluster(4), replaced),
       "! n3 is drained, and cannot be reached since 2 min; omnicartctl cluster remove n3; to keep "
       "it, start it again and run omnicartctl cluster resume n3\n"},
      {"it was replaced, and follows without a vote like all nodes",
       with(sound_cluster(4),
            [&](cluster_report& of) {
              replaced(of);
              for (auto& s : of.shards) s.standbys = {{.node = 3, .lag = 5}};
            }),
       "! n3 is drained, and cannot be reached since 2 min; omnicartctl cluster remove n3; to keep "
       "it, start it again and run omnicartctl cluster resume n3\n"},
      {"the replacement is under way: Raft has it still",
       with(sound_cluster(4),
            [&](cluster_report& of) {
              replaced(of);
              for (const std::size_t shard : {3, 4}) vote(of.shards[shard], {1, 2, 3});
            }),
       "! n3 is draining, and cannot be reached since 2 min; it votes in 2 shards; " + until},
      {"the replacement is under way: the record has it still",
       with(sound_cluster(4),
            [&](cluster_report& of) {
              place(of, {1, 2, 3});
              drain(of, {2});
              silence(of, {2});
            }),
       "! n3 is draining, and cannot be reached since 2 min; it votes in 6 shards; " + until},
      {"nobody can take its place",
       with(sound_cluster(3),
            [](cluster_report& of) {
              drain(of, {2});
              silence(of, {2});
            }),
       "! n3 is draining, and cannot be reached since 2 min; it votes in 6 shards; start it again; "
       "if it is gone, add another node, " +
           until},
      {"it joins",
       with(sound_cluster(3),
            [](cluster_report& of) {
              place(of, {1, 2});
              for (auto& s : of.shards) s.moving = true;
              silence(of, {2});
              of.nodes[2].what.state = node_state::joining;
              of.nodes[2].what.since = of.at - std::chrono::seconds(20);
            }),
       "! n3 is joining, and cannot be reached since 2 min; start it, or take it back: omnicartctl "
       "cluster remove n3\n"},
      {"it joins for long",
       with(sound_cluster(4),
            [](cluster_report& of) {
              place(of, {1, 2, 3});
              silence(of, {3});
              of.nodes[3].what.state = node_state::joining;
              of.nodes[3].what.since = of.at - std::chrono::minutes(5);
            }),
       "! n4 has been joining for 5 min; look whether it runs, listens at 10.0.0.1:7000, and has a "
       "certificate of this cluster for node 4\n"},
  });
}

BOOST_AUTO_TEST_CASE(why_a_node_leads_nothing_is_named_with_what_mends_it) {
  const auto unfit = [](std::size_t nodes, const cluster_report::unfitness& why) {
    return with(sound_cluster(nodes), [&](cluster_report& of) { of.nodes.back().unfit = why; });
  };
  const std::string away = " and gives its leaderships away; ";
  const std::string clock_advice = "see to its time synchronisation (NTP)\n";
  check({
      {"damage", unfit(3, {.damaged = true}),
       "! n3 met damage in its store" + away +
           "see \"the store is damaged\" in its log; add another node and run omnicartctl cluster "
           "replace n3 NEW\n"},
      {"damage of one that is replaced already",
       with(unfit(4, {.damaged = true}), [](cluster_report& of) { drain(of, {3}); }),
       "! n4 is draining and still votes in 6 shards; wait: others take them over; to restart it, "
       "you need not\n"
       "! n4 met damage in its store" +
           away + "see \"the store is damaged\" in its log; remove it once others have all its "
                  "shards\n"},
      {"damage of a node alone", unfit(1, {.damaged = true}),
       "! n1 met damage in its store; see \"the store is damaged\" in its log; stop it and restore "
       "a backup\n"},
      {"no room", unfit(3, {.disk_low = true}),
       "! the disk of n3 is nearly full: n3 refuses writes" + away +
           "free space on the disk of its data directory; it is fit again by itself\n"},
      {"its clock", unfit(3, {.clock_off = true}),
       "! n3 finds its clock far from the others'" + away + clock_advice},
      {"its clock, as is seen from here: that is said once",
       with(unfit(3, {.clock_off = true}),
            [](cluster_report& of) { of.nodes[2].clock_offset = duration_ms{900}; }),
       "! the clock of n3 is 900 ms ahead of the others: it leads nothing; " + clock_advice},
      {"it stops", unfit(3, {.stopping = true}),
       "! n3 is stopping" + away + "wait until it is stopped; start it again if it is to stay\n"},
      {"it does not say", unfit(3, {.unsaid = true}),
       "! n3 gives its leaderships away, and its build does not say why; if it is not stopping, "
       "look for \"leads nothing\" or \"damaged\" in its log\n"},
      {"two reasons", unfit(3, {.damaged = true, .disk_low = true}),
       "! n3 met damage in its store" + away +
           "see \"the store is damaged\" in its log; add another node and run omnicartctl cluster "
           "replace n3 NEW\n"
           "! the disk of n3 is nearly full: n3 refuses writes" +
           away + "free space on the disk of its data directory; it is fit again by itself\n"},
  });
}

BOOST_AUTO_TEST_CASE(too_few_voters_are_pointed_out_with_what_gives_more) {
  const auto of_replicas = [](std::size_t nodes, std::uint32_t replicas) {
    return with(sound_cluster(nodes), [&](cluster_report& of) {
      of.settings.replicas = replicas;
      for (std::uint16_t shard = 0; shard < of.shard_count; ++shard) {
        auto& wanted = of.shards[shard].desired.voters;
        wanted.resize(std::min<std::size_t>(wanted.size(), replicas));
        vote(of.shards[shard], wanted);
      }
    });
  };
  const std::string two = " two voters: losing one node stops writes; ";
  const std::string one = "! 5 shards have one replica: losing any node stops the shards that it has; ";
  const std::string join = "add a third node: omnicartctl cluster join";
  const std::string configure = "omnicartctl cluster configure --replicas 3\n";
  check({
      {"two nodes", sound_cluster(2), "! 6 shards have" + two + join + "\n"},
      {"two nodes, and two replicas were asked for", of_replicas(2, 2),
       "! 6 shards have" + two + join + ", then run " + configure},
      {"three nodes, and two replicas were asked for", of_replicas(3, 2),
       "! 5 shards have" + two + configure},
      {"four nodes, and two replicas were asked for", of_replicas(4, 2),
       "! 5 shards have" + two + configure},
      {"two nodes, and a third comes",
       with(sound_cluster(3),
            [](cluster_report& of) {
              place(of, {1, 2});
              of.nodes[2].what.state = node_state::joining;
              of.nodes[2].what.since = of.at;
            }),
       "! 6 shards have" + two + "wait until n3 has joined\n"},
      {"three nodes, of which one is unfit",
       with(sound_cluster(3),
            [](cluster_report& of) {
              place(of, {1, 2});
              of.nodes[2].unfit.disk_low = true;
            }),
       "! the disk of n3 is nearly full: n3 refuses writes and gives its leaderships away; free "
       "space on the disk of its data directory; it is fit again by itself\n"
       "! 6 shards have" +
           two + "mend n3 or add another node: a third voter is added by itself\n"},
      {"three nodes, and the third voter is about to be added",
       with(sound_cluster(3), [](cluster_report& of) { place(of, {1, 2}); }),
       "! 6 shards have" + two + "wait: a third voter is added by itself\n"},
      {"the third voter is on its way",
       with(sound_cluster(3),
            [](cluster_report& of) {
              for (auto& s : of.shards) {
                vote(s, {1, 2});
                s.moving = true;
              }
            }),
       ""},
      {"one shard of them",
       with(sound_cluster(3),
            [](cluster_report& of) {
              of.shards[2].desired.voters = {1, 2};
              vote(of.shards[2], {1, 2});
            }),
       "! 1 shard has" + two + "wait: a third voter is added by itself\n"},
      {"one replica on three nodes", of_replicas(3, 1), one + configure},
      {"one replica on two nodes", of_replicas(2, 1), one + join + ", then run " + configure},
      {"one replica on a node alone", of_replicas(1, 1), ""},
      {"one replica was asked for, and others are about to leave",
       with(of_replicas(3, 1),
            [](cluster_report& of) {
              for (auto& s : of.shards) s.moving = true;
            }),
       ""},
      {"three replicas on three nodes", of_replicas(3, 3), ""},
      {"three replicas on five nodes", of_replicas(5, 3), ""},
      {"four replicas", of_replicas(4, 4), ""},
  });
}

BOOST_AUTO_TEST_CASE(whom_the_voters_of_now_need_is_named_with_what_is_missing) {
  const auto away = [](std::size_t node) {
    return [node](cluster_report& of) { of.nodes[node].reachable = false; };
  };
  const std::string advice =
      "; start what is missing, or wait until the moves are through: omnicartctl cluster status";
  const struct {
    const char* claim;
    cluster_report of;
    node_id node;
    std::string told;
  } rows[] = {
      {"one of three", sound_cluster(3), 3, ""},
      {"the dead one of three", with(sound_cluster(3), away(2)), 3, ""},
      {"another than the dead one", with(sound_cluster(3), away(2)), 2,
       "without n2, 6 shards have no majority of the voters there are now: n3 cannot be reached" +
           advice},
      {"one of two", sound_cluster(2), 2,
       "without n2, 6 shards have no majority of the voters there are now" + advice},
      {"the dead one, as it votes nowhere any more",
       with(sound_cluster(4),
            [&](cluster_report& of) {
              away(3)(of);
              for (auto& s : of.shards) vote(s, {1, 2, 3});
            }),
       4, ""},
      {"one that the record wants nowhere, and a shard still has",
       with(sound_cluster(3),
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
       with(sound_cluster(2),
            [&](cluster_report& of) {
              for (auto& s : of.shards) vote(s, {1, 2, 9});
            }),
       2,
       "without n2, 6 shards have no majority of the voters there are now: node 9 cannot be "
       "reached" +
           advice},
      {"voters that are not known",
       with(sound_cluster(3), [](cluster_report& of) { of.shards[0].voters.clear(); }), 3,
       "n1 does not know who votes in 1 shard: ask another node, or wait until it does"},
  };
  for (const auto& row : rows) BOOST_TEST_CONTEXT(row.claim) {
      BOOST_TEST(needed_by_voters(row.of, row.node) == row.told);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cluster_judgement_test
}  // namespace omnicart::http
