#include "cluster/remote/envelope_format.hpp"

#include <array>
#include <boost/test/unit_test.hpp>

#include "tests/next_build/next_format.hpp"
#include "tests/unit/cluster/remote/remote_bench.hpp"

// Nodes of two builds in one cluster: 1 speaks this build's envelopes, the others also the next.
namespace omnicart::cluster::test {
namespace envelope_format_test {

using counter::add;

std::span<const envelope_format> next_formats() {
  static const std::array<envelope_format, 2> formats{envelope_formats().front(), next_format(2)};
  return formats;
}

struct mixed : small_cluster {
  mixed() {
    for (const node_id newer : {2, 3}) restart_with_next_build(newer);
    for (const auto& [a, b] : {std::pair{1, 2}, {1, 3}, {2, 3}}) net.mend_link(a, b);
  }
  void restart_with_next_build(node_id id) {
    at(id).sender.stop();
    auto& place = members[id - 1];
    place.reset();
    place = std::make_unique<member>(net, id, remote_sender_limits{}, remote_receiver_limits{}, next_formats());
    place->knows.of_all = 2;
    net.speaks[id] = 2;
  }
};

bool is_next(const std::string& bytes) { return bytes.front() == '\xc1'; }

BOOST_FIXTURE_TEST_SUITE(envelopes_of_two_builds, mixed)

BOOST_AUTO_TEST_CASE(each_peer_is_written_to_in_the_newest_format_that_it_reads) {
  const auto from_older = at(1).node.send("a", add{5, ""});
  BOOST_TEST_REQUIRE(net.flying.size() == 1u);
  BOOST_TEST(!is_next(net.flying.back().bytes));
  const auto from_newer = at(3).node.send("b", add{7, ""});
  BOOST_TEST_REQUIRE(net.flying.size() == 2u);
  BOOST_TEST(is_next(net.flying.back().bytes));

  std::size_t answers_of_next = 0, answers = 0;
  net.lose = [&](const virtual_net::flight& f) {
    answers += f.on == channel::answer;
    answers_of_next += f.on == channel::answer && is_next(f.bytes);
    return false;
  };
  settle();
  BOOST_TEST((from_older->has_value() && (*from_older)->ok()));
  BOOST_TEST((from_newer->has_value() && (*from_newer)->ok()));
  BOOST_TEST(answers == 2u);
  BOOST_TEST(answers_of_next == 1u);
  BOOST_TEST(at(2).node.total("a") == 5);
  BOOST_TEST(at(2).node.total("b") == 7);
}

BOOST_AUTO_TEST_CASE(what_was_under_way_is_written_anew_when_the_peer_comes_back_as_another_build) {
  const auto got = at(3).node.send("a", add{5, ""}, {1, 1});
  BOOST_TEST_REQUIRE(is_next(net.flying.front().bytes));
  net.break_link(2, 3);
  net.speaks[2] = 1;  // it was put back
  net.mend_link(2, 3);
  net.speaks[2] = 2;
  pass(duration_ms{100});
  BOOST_TEST((got->has_value() && (*got)->ok()));
  BOOST_TEST(at(2).node.total("a") == 5);
  BOOST_TEST(at(2).receiver.counts().malformed == 0u);
}

BOOST_AUTO_TEST_CASE(an_envelope_in_a_format_that_was_not_agreed_is_dropped_and_counted) {
  at(1).port.handlers.at(channel::command)(2, next_format(2).encode_command(1, {.to = {"counter", "a"}}, {}));
  BOOST_TEST(at(1).receiver.counts().malformed == 1u);
  at(2).port.handlers.at(channel::command)(3, encode_command(1, {.to = {"counter", "a"}}, {}));
  BOOST_TEST(at(2).receiver.counts().malformed == 1u);
}

BOOST_AUTO_TEST_CASE(a_peer_with_which_nothing_is_agreed_gets_the_oldest) {
  peer_formats formats(next_formats());
  formats.attach(at(1).port);
  net.mend_link(1, 2);
  BOOST_TEST(formats.of(2).version == 1);
  BOOST_TEST(formats.of(9).version == 1);
  net.speaks[1] = 2;
  net.mend_link(1, 2);
  BOOST_TEST(formats.of(2).version == 2);
  net.break_link(1, 2);
  BOOST_TEST(formats.of(2).version == 1);
}

BOOST_AUTO_TEST_CASE(the_link_offers_every_version_of_the_table) {
  BOOST_TEST(envelope_versions().min == 1);
  BOOST_TEST(envelope_versions().max == envelope_formats().back().version);
  for (std::size_t i = 1; i < envelope_formats().size(); ++i) {
    BOOST_TEST(envelope_formats()[i].version == envelope_formats()[i - 1].version + 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace envelope_format_test
}  // namespace omnicart::cluster::test
