#include "cluster/remote/neighbours.hpp"

#include <boost/test/unit_test.hpp>

#include "cluster/remote/current_lists.hpp"
#include "tests/unit/cluster/remote/remote_bench.hpp"

namespace omnicart::cluster::test {
namespace neighbours_test {

struct hand_clock final : clock {
  timestamp_ms wall() const override { return wall_now; }
  duration_ms monotonic() const override { return now; }
  timestamp_ms wall_now{duration_ms{1'000'000}};
  duration_ms now{0};
};

// Two nodes that speak; node 2's clock is its own.
struct two_nodes {
  two_nodes() {
    net.ports = {{1, &one}, {2, &two}};
    first.attach();
    second.attach();
  }
  void run() {
    while (net.deliver_one()) {
    }
  }
  virtual_net net;
  virtual_net::port one{net, 1}, two{net, 2};
  hand_clock time, other_time;
  std::vector<shard_position> led_by_two{{.shard = 3, .index = 17}};
  std::vector<positions_told> told;
  neighbours first{one, time, [] { return std::vector<shard_position>(); },
                   [this](node_id, const positions_told& got) { told.push_back(got); }};
  neighbours second{two, other_time, [this] { return led_by_two; }, [](node_id, const positions_told&) {}};
};

// Rows that answer at once, and count.
struct plain_rows final : projection_host {
  void query(std::string_view, std::function<void(projection_rows&)>, std::function<void(error)>) override { ++asked; }
  int asked = 0;
};

// Two shards: 0 is led here while `leads_first`, 1 by somebody else.
struct reader {
  void query() {
    lists.query("orders", [](projection_rows&) {}, [this](error why) { refused.push_back(std::move(why)); });
  }
  plain_rows rows;
  hand_clock time;
  bool leads_first = true, leads_second = false;
  std::uint64_t applied = 10;
  std::vector<std::uint64_t> asked;
  std::vector<error> refused;
  current_lists lists{{.rows = rows,
                       .time = time,
                       .shard_count = 2,
                       .may_read = [this](std::uint16_t shard) { return shard == 0 ? leads_first : leads_second; },
                       .applied = [this](std::uint16_t) { return applied; },
                       .ask = [this](std::uint64_t request) { asked.push_back(request); }}};
};

BOOST_AUTO_TEST_SUITE(neighbours_and_lists)

BOOST_AUTO_TEST_CASE(every_control_message_reads_as_it_was_written_and_rubbish_does_not) {
  const control_message all[] = {
      node_report{.leaving = true, .wall = timestamp_ms{duration_ms{7}}, .version = "1", .http = "h:1", .operators = "o:2"},
      positions_wanted{.request = 9}, positions_told{.request = 9, .led = {{.shard = 1, .index = 2}}},
      cut_order{.cut = 5, .step = cut_step::mark, .at_most = duration_ms{100}},
      cut_report{.cut = 5, .step = cut_step::mark, .held = true, .paused_us = 7, .marks = {{.shard = 1, .index = 2, .term = 3}}}};
  for (const auto& each : all) {
    const auto bytes = encode(each);
    const auto read = decode_control(bytes);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read == each));
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) BOOST_TEST(!decode_control(bytes.substr(0, cut)).has_value());
  }
}

// The report as it was before a node said why.
struct older_report {
  bool leaving = true;
  timestamp_ms wall{};
  std::string version = "1", http, operators;
  OMNICART_FIELDS(leaving, wall, version, http, operators)
};

BOOST_AUTO_TEST_CASE(why_a_node_leads_nothing_is_said_and_older_builds_understand_the_rest) {
  const node_report said{.leaving = true, .wall = {}, .version = "1", .http = {}, .operators = {}, .why = {.damaged = true, .stopping = true}};
  const auto read = decode_control(encode(said));
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((std::get<node_report>(*read) == said));
  const auto by_older = codec::decode<std::variant<older_report>>(encode(said));
  BOOST_REQUIRE(by_older.has_value());
  BOOST_TEST(std::get<older_report>(*by_older).leaving);
  const auto of_older = decode_control(codec::encode(std::variant<older_report>()));
  BOOST_REQUIRE(of_older.has_value());
  BOOST_TEST(std::get<node_report>(*of_older).leaving);
  BOOST_TEST(!std::get<node_report>(*of_older).why.any());
}

BOOST_AUTO_TEST_CASE(a_node_hears_what_others_say_until_they_are_gone) {
  two_nodes pair;
  pair.second.tell({1}, {.leaving = true, .wall = pair.other_time.wall(), .version = "2.0", .http = {}, .operators = {}});
  pair.run();
  BOOST_TEST(pair.first.is_leaving(2));
  BOOST_TEST(pair.first.heard().at(2).said.version == "2.0");
  pair.net.break_link(1, 2);
  BOOST_TEST(!pair.first.is_leaving(2));
  BOOST_TEST(pair.first.heard().empty());
}

BOOST_AUTO_TEST_CASE(what_does_not_read_is_counted_and_nothing_else) {
  two_nodes pair;
  for (int i = 0; i < 3; ++i) pair.one.handlers.at(channel::control)(2, "\xc1 rubbish");
  pair.second.tell({1}, {.leaving = true, .wall = pair.other_time.wall(), .version = "2.0", .http = {}, .operators = {}});
  pair.run();
  BOOST_TEST(pair.first.malformed() == 3u);
  BOOST_TEST(pair.second.malformed() == 0u);
  BOOST_TEST(pair.first.is_leaving(2));
}

BOOST_AUTO_TEST_CASE(the_clock_that_differs_from_the_median_is_found) {
  two_nodes pair;
  BOOST_TEST(!pair.first.clock_ahead().has_value());
  pair.one.handlers.at(channel::control)(2, encode(node_report{.leaving = false, .wall = timestamp_ms{duration_ms{1'000'700}}, .version = {}, .http = {}, .operators = {}}));
  pair.one.handlers.at(channel::control)(3, encode(node_report{.leaving = false, .wall = timestamp_ms{duration_ms{1'000'800}}, .version = {}, .http = {}, .operators = {}}));
  BOOST_TEST(pair.first.clock_ahead()->count() == -700);
}

BOOST_AUTO_TEST_CASE(positions_come_from_who_leads) {
  two_nodes pair;
  pair.first.ask_positions({2}, 5);
  pair.run();
  BOOST_REQUIRE(pair.told.size() == 1U);
  BOOST_TEST((pair.told[0] == positions_told{.request = 5, .led = pair.led_by_two}));
}

BOOST_AUTO_TEST_CASE(a_node_that_leads_all_asks_nobody) {
  reader node;
  node.leads_second = true;
  node.query();
  BOOST_TEST(node.rows.asked == 1);
  BOOST_TEST(node.asked.empty());
}

BOOST_AUTO_TEST_CASE(a_list_waits_until_this_node_has_what_the_leaders_had) {
  reader node;
  node.query();
  node.query();  // comes into the round only if it was not begun: it is the next one's
  BOOST_TEST(node.asked.size() == 1U);
  node.lists.tick();
  BOOST_TEST(node.rows.asked == 0);
  node.lists.told({.request = node.asked.back(), .led = {{.shard = 1, .index = 12}}});
  node.lists.tick();
  BOOST_TEST(node.rows.asked == 0);
  node.applied = 12;
  node.lists.tick();
  BOOST_TEST(node.rows.asked == 1);
  BOOST_REQUIRE(node.asked.size() == 2U);
  node.lists.told({.request = node.asked.front(), .led = {{.shard = 1, .index = 12}}});  // of the round before
  node.lists.tick();
  BOOST_TEST(node.rows.asked == 1);
  node.lists.told({.request = node.asked.back(), .led = {{.shard = 1, .index = 12}}});
  node.lists.tick();
  BOOST_TEST(node.rows.asked == 2);
}

BOOST_AUTO_TEST_CASE(a_shard_without_a_leader_is_asked_for_again_and_given_up_in_time) {
  reader node;
  node.query();
  node.time.now += current_lists::ask_again;
  node.lists.tick();
  BOOST_TEST(node.asked.size() == 2U);
  node.time.now += current_lists::patience;
  node.lists.tick();
  BOOST_REQUIRE(node.refused.size() == 1U);
  BOOST_TEST(node.refused[0].is(base_errc::unavailable));
  BOOST_TEST(node.rows.asked == 0);
}

BOOST_AUTO_TEST_CASE(too_many_that_wait_are_refused) {
  reader node;
  for (std::size_t i = 0; i <= current_lists::waiting_max; ++i) node.query();
  BOOST_REQUIRE(node.refused.size() == 1U);
  BOOST_TEST(node.refused[0].is(base_errc::overloaded));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace neighbours_test
}  // namespace omnicart::cluster::test
