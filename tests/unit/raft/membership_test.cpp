#include "cluster/raft/membership.hpp"

#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>

namespace omnicart::raft {
namespace membership_test {

using kind = membership_change::kind;

configuration members(std::initializer_list<server> servers) { return {.servers = servers}; }

struct row {
  std::string claim;
  configuration before;
  membership_change change;
  std::optional<configuration> after;  // nothing: refused
};

const server v1{1, role::voter};
const server v2{2, role::voter};
const server s2{2, role::standby};
const server p3{3, role::spare};

const row rows[] = {
    {"a node is added at the end", members({v1}), {kind::add, 2, role::standby}, members({v1, s2})},
    {"nobody votes at once", members({v1}), {kind::add, 2, role::voter}, {}},
    {"nobody is added twice", members({v1, s2}), {kind::add, 2, role::spare}, {}},
    {"node 0 is nobody", members({v1}), {kind::add, 0, role::spare}, {}},
    {"a member gets another role in its place",
     members({s2, v1}),
     {kind::assign, 2, role::voter},
     members({v2, v1})},
    {"the same role is no change", members({v1, s2}), {kind::assign, 2, role::standby}, {}},
    {"a stranger gets no role", members({v1}), {kind::assign, 2, role::standby}, {}},
    {"the last voter keeps its vote", members({v1, s2}), {kind::assign, 1, role::standby}, {}},
    {"a member is removed", members({v1, s2, p3}), {kind::remove, 2}, members({v1, p3})},
    {"a stranger is not", members({v1}), {kind::remove, 2}, {}},
    {"nor the last voter", members({v1, s2}), {kind::remove, 1}, {}},
};

BOOST_AUTO_TEST_SUITE(raft_membership)

BOOST_AUTO_TEST_CASE(one_server_changes_at_a_time) {
  for (const auto& r : rows) {
    BOOST_TEST_CONTEXT(r.claim) {
      const auto after = changed(r.before, r.change);
      BOOST_TEST(after.has_value() == r.after.has_value());
      if (after && r.after) BOOST_TEST((*after == *r.after));
      if (!after) BOOST_TEST(after.error().is(base_errc::precondition_failed));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_group_has_a_limit) {
  configuration full = members({v1});
  for (node_id i = 2; i <= servers_max; ++i) full.servers.push_back({i, role::spare});
  BOOST_TEST(check(full).has_value());
  BOOST_TEST(!changed(full, {kind::add, servers_max + 1, role::spare}).has_value());
}

BOOST_AUTO_TEST_CASE(configurations_read_back) {
  const auto before = members({v1, s2, p3});
  const auto after = decode_configuration(encode_configuration(before));
  BOOST_REQUIRE(after.has_value());
  BOOST_TEST((*after == before));
}

BOOST_AUTO_TEST_CASE(the_stored_form_stays) {
  BOOST_TEST(encode_configuration(members({v1, s2})) ==
             std::string("\x92\x01\x91\x92\x92\x01\x01\x92\x02\x00", 10));
}

BOOST_AUTO_TEST_CASE(impossible_configurations_are_not_read) {
  for (const auto& bad : {members({}), members({s2}), members({v1, v1}),
                          members({{0, role::voter}}), members({v1, {2, static_cast<role>(7)}})}) {
    BOOST_TEST(decode_configuration(encode_configuration(bad)).error().is(base_errc::malformed));
  }
  BOOST_TEST(!decode_configuration("").has_value());
  BOOST_TEST(!decode_configuration("\x92\x01\xc0").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace membership_test
}  // namespace omnicart::raft
