#include "tests/sim/sim_network.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace omnicart::sim {
namespace sim_network_test {

using cluster::channel;

// Two nodes, and what they hear.
struct two_ends {
  two_ends() {
    for (const node_id id : {1, 2}) {
      net.join(id);
      boot(id);
    }
    pass(duration_ms{1'000});
  }
  void boot(node_id id) {
    net.boot(id);
    for (const auto on : {channel::raft, channel::command}) {
      net.join(id).receive(on, [this](node_id, std::string bytes) { heard.push_back(bytes); });
    }
    net.join(id).receive(channel::snapshot, [this, id](node_id from, std::string bytes) {
      heard.push_back(bytes);
      if (consumes) net.join(id).snapshot_consumed(from, bytes.size());
    });
    net.join(id).when_room(channel::snapshot, [this](node_id) { ++rooms; });
    net.join(id).watch([this, id](const cluster::peer_change& change) {
      ups[id] += change.up;
      downs[id] += !change.up;
    });
  }
  void pass(duration_ms span) {
    const auto until = time.monotonic() + span;
    while (time.step(until)) {
    }
  }
  bool say(const std::string& what, channel on = channel::command) {
    return net.join(1).send(2, on, what);
  }

  timeline time{5};
  sim_network net{time};
  std::vector<std::string> heard;
  std::map<node_id, int> ups, downs;
  int rooms = 0;
  bool consumes = true;
};

BOOST_FIXTURE_TEST_SUITE(simulated_network, two_ends)

BOOST_AUTO_TEST_CASE(both_ends_hear_of_a_connection_and_messages_come_in_order) {
  BOOST_TEST(ups[1] == 1);
  BOOST_TEST(ups[2] == 1);
  BOOST_TEST(net.join(1).is_up(2));
  net.set_weather({.late = 50});
  for (int i = 0; i < 50; ++i) BOOST_TEST(say(std::to_string(i)));
  pass(duration_ms{30'000});
  BOOST_REQUIRE(heard.size() == 50U);
  for (int i = 0; i < 50; ++i) BOOST_TEST(heard[static_cast<std::size_t>(i)] == std::to_string(i));
}

BOOST_AUTO_TEST_CASE(rafts_messages_are_lost_doubled_and_overtaken) {
  net.set_weather({.lost = 20, .doubled = 20, .late = 50});
  std::vector<std::string> said;
  for (int i = 0; i < 200; ++i) {
    said.push_back(std::to_string(1'000 + i));
    say(said.back(), channel::raft);
  }
  pass(duration_ms{5'000});
  BOOST_TEST(!std::is_sorted(heard.begin(), heard.end()));
  const std::set<std::string> different(heard.begin(), heard.end());
  BOOST_TEST(different.size() < said.size());
  BOOST_TEST(heard.size() > different.size());
}

BOOST_AUTO_TEST_CASE(a_cut_in_one_direction_ends_the_connection_for_both_after_a_while) {
  net.cut(1, 2);
  BOOST_TEST(say("lost with the line"));
  pass(duration_ms{1'400});
  BOOST_TEST(net.join(1).is_up(2));
  pass(duration_ms{1'000});
  BOOST_TEST(!net.join(1).is_up(2));
  BOOST_TEST(!net.join(2).is_up(1));
  BOOST_TEST(!say("nobody is there"));
  net.heal();
  pass(duration_ms{1'000});
  BOOST_TEST(ups[1] == 2);
  BOOST_TEST(downs[2] == 1);
  BOOST_TEST(heard.empty());
}

BOOST_AUTO_TEST_CASE(a_short_cut_delays_what_it_meets_but_loses_rafts) {
  net.cut(1, 2);
  say("kept");
  say("lost", channel::raft);
  pass(duration_ms{500});
  BOOST_TEST(heard.empty());
  net.heal();
  pass(duration_ms{3'000});
  BOOST_TEST((heard == std::vector<std::string>{"kept"}));
  BOOST_TEST(downs[1] == 0);
}

BOOST_AUTO_TEST_CASE(a_killed_process_is_missed_at_once_and_a_lost_machine_after_a_while) {
  net.end(2, sim_network::ending::process);
  pass(duration_ms{10});
  BOOST_TEST(!net.join(1).is_up(2));
  boot(2);
  pass(duration_ms{1'000});
  BOOST_TEST(net.join(1).is_up(2));
  net.end(2, sim_network::ending::machine);
  pass(duration_ms{1'000});
  BOOST_TEST(net.join(1).is_up(2));
  pass(duration_ms{1'000});
  BOOST_TEST(!net.join(1).is_up(2));
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_back_before_it_was_missed_has_a_new_connection) {
  say("to the one before");
  net.end(2, sim_network::ending::machine);
  boot(2);
  pass(duration_ms{1'000});
  BOOST_TEST(heard.empty());
  BOOST_TEST(downs[1] == 1);
  BOOST_TEST(ups[1] == 2);
}

BOOST_AUTO_TEST_CASE(who_stands_still_for_a_moment_hears_all_of_it_afterwards) {
  const auto number = time.hold(timeline::owner_of(2));
  net.stands_still(2);
  for (int i = 0; i < 20; ++i) say(std::to_string(10 + i));
  pass(duration_ms{1'000});
  BOOST_TEST(heard.empty());
  BOOST_TEST(time.release(timeline::owner_of(2), number));
  net.goes_on(2);
  pass(duration_ms{3'000});
  BOOST_TEST(heard.size() == 20U);
  BOOST_TEST(std::is_sorted(heard.begin(), heard.end()));
  BOOST_TEST(downs[1] + downs[2] == 0);
}

BOOST_AUTO_TEST_CASE(who_stands_still_for_long_is_missed_and_learns_of_it_afterwards) {
  const auto number = time.hold(timeline::owner_of(2));
  net.stands_still(2);
  say("before it was missed");
  pass(duration_ms{3'000});
  BOOST_TEST(!net.join(1).is_up(2));
  BOOST_TEST(downs[1] == 1);
  BOOST_TEST(downs[2] == 0);
  BOOST_TEST(!say("nobody reads"));
  time.release(timeline::owner_of(2), number);
  net.goes_on(2);
  pass(duration_ms{1'000});
  BOOST_TEST((heard == std::vector<std::string>{"before it was missed"}));
  BOOST_TEST(downs[2] == 1);
  BOOST_TEST(ups[1] == 2);
  BOOST_TEST(ups[2] == 2);
}

BOOST_AUTO_TEST_CASE(what_waits_for_who_stands_still_comes_in_its_order_or_goes_with_its_owner) {
  const auto two = timeline::owner_of(2), three = timeline::owner_of(3);
  std::string done;
  const auto number = time.hold(two);
  time.hold(three);
  for (const char each : {'a', 'b', 'c', 'd'}) {
    time.after(duration_ms{each - 'a'}, two, [&done, each] { done += each; });
    time.after(duration_ms{each - 'a'}, three, [&done] { done += '!'; });
  }
  pass(duration_ms{10});
  time.reach(two, [&done] { done += 'e'; });
  BOOST_TEST(done.empty());
  time.forget(three);
  BOOST_TEST(!time.stands_still(three));
  BOOST_TEST(!time.release(two, number + 7));
  BOOST_TEST(time.release(two, number));
  BOOST_TEST(!time.release(two, number));
  pass(duration_ms{10});
  time.reach(two, [&done] { done += 'f'; });
  BOOST_TEST(done == "abcdef");
}

BOOST_AUTO_TEST_CASE(chunks_wait_until_others_are_consumed) {
  const std::string chunk(5'000, 'x');
  consumes = false;
  BOOST_TEST(say(chunk, channel::snapshot));
  BOOST_TEST(!say(chunk, channel::snapshot));
  pass(duration_ms{100});
  BOOST_TEST(rooms == 0);
  net.join(2).snapshot_consumed(1, chunk.size());
  pass(duration_ms{100});
  BOOST_TEST(rooms == 1);
  BOOST_TEST(say(chunk, channel::snapshot));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sim_network_test
}  // namespace omnicart::sim
