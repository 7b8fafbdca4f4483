#include "cluster/remote/members_only.hpp"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "tests/unit/cluster/remote/remote_bench.hpp"

namespace omnicart::cluster {
namespace members_only_test {

// Node 1, and what it hears of others.
struct listener {
  test::virtual_net net;
  test::virtual_net::port inner{net, 1};
  members_only gate{inner};
  std::vector<std::string> heard;

  listener() {
    gate.receive(channel::command,
                 [this](node_id, const std::string& bytes) { heard.push_back(bytes); });
  }
  void says(node_id from, const std::string& what) {
    inner.handlers.at(channel::command)(from, what);
  }
};

BOOST_AUTO_TEST_SUITE(members_only_suite)

BOOST_AUTO_TEST_CASE(a_peer_that_the_record_does_not_name_commands_nothing) {
  listener one;
  one.says(2, "before there is a record");
  one.gate.admit({2});
  one.says(2, "of a member");
  one.says(3, "of a stranger");
  BOOST_TEST((one.heard == std::vector<std::string>{"of a member"}));
  BOOST_TEST(one.gate.dropped() == 2u);
}

BOOST_AUTO_TEST_CASE(whoever_leaves_the_record_is_heard_no_more) {
  listener one;
  one.gate.admit({2, 3});
  one.gate.admit({3});
  one.says(2, "late");
  one.says(3, "still here");
  BOOST_TEST((one.heard == std::vector<std::string>{"still here"}));
}

BOOST_AUTO_TEST_CASE(who_may_have_copies_is_known_without_a_message) {
  listener one;
  BOOST_TEST(!one.gate.has(2));
  one.gate.admit({2});
  BOOST_TEST(one.gate.has(2));
  BOOST_TEST(!one.gate.has(3));
  BOOST_TEST(one.gate.dropped() == 0u);
}

BOOST_AUTO_TEST_CASE(sending_is_as_it_was) {
  listener one;
  BOOST_TEST(one.gate.self() == 1u);
  BOOST_TEST(one.gate.is_up(2));
  BOOST_TEST(one.gate.send(2, channel::command, "x"));
  BOOST_TEST(one.net.flying.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace members_only_test
}  // namespace omnicart::cluster
