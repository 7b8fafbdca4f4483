#include <boost/test/unit_test.hpp>

#include "actors/cluster/cluster_kind.hpp"
#include "tests/unit/actors/kind_trial.hpp"
#include "tests/unit/actors/rule_table.hpp"

// Whom a removal by force may leave behind.
namespace omnicart::cluster_record {
namespace cluster_removal_test {

using trial::number;
const cause ann{.who = "ann@desk", .why = "its machine is gone"};

node node_of(node_id id) {
  const std::string digits = std::to_string(id);
  return {.id = id,
          .name = "n" + digits,
          .link = "10.0.0." + digits + ":7000",
          .http = {},
          .operators = {},
          .state = node_state::joining,
          .since = {}};
}

// Shard 0 on nodes 1, 2 and 3; shard 1 and the record's own group on 1.
trial::subject<kind> cluster_of(node_id nodes) {
  trial::subject<kind> one;
  BOOST_TEST(
      one.give(found{
          .cluster = std::string(32, 'a'), .first = node_of(1), .shard_count = 2, .keys = {}}) ==
      0);
  for (node_id id = 2; id <= nodes; ++id) {
    BOOST_TEST(one.give(join{.who = node_of(id), .by = ann}) == 0);
    BOOST_TEST(one.give(ready{id}) == 0);
  }
  BOOST_TEST(one.give(place{.shards = {{.shard = 0, .voters = {1, 2, 3}}}}) == 0);
  return one;
}

remove removal_beside(node_id id, std::vector<node_id> unreachable) {
  return {.id = id,
          .force = true,
          .still_member = {},
          .by = ann,
          .unreachable = std::move(unreachable)};
}

BOOST_AUTO_TEST_SUITE(cluster_removal)

BOOST_AUTO_TEST_CASE(force_leaves_a_majority_of_voters_within_reach) {
  struct row {
    const char* what;
    node_id nodes;
    remove command;
    error_number refused;
  };
  const row rows[] = {
      {"all others are there", 3, removal_beside(3, {}), 0},
      {"whoever cannot be reached may go", 3, removal_beside(3, {3}), 0},
      {"another that is down is needed", 3, removal_beside(3, {2}), number(errc::no_majority)},
      {"two that are down at once", 3, removal_beside(3, {2, 3}), number(errc::no_majority)},
      {"whoever votes nowhere is not missed", 4, removal_beside(3, {4}), 0},
      {"nor is it held", 4, removal_beside(4, {2, 4}), 0},
  };
  for (const auto& each : rows) {
    BOOST_TEST_CONTEXT(each.what) {
      auto one = cluster_of(each.nodes);
      BOOST_TEST(one.give(each.command) == each.refused);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_refusal_names_the_shards_and_who_is_missed) {
  auto one = cluster_of(3);
  BOOST_TEST(one.give(removal_beside(3, {2})) == number(errc::no_majority));
  BOOST_TEST((*decode_shards(one.refusal.data) == std::vector<std::uint16_t>{0}));
  BOOST_TEST(one.refusal.detail ==
             "without n3, 1 shard has no majority of their voters: n2 cannot be reached");
}

BOOST_AUTO_TEST_CASE(a_removal_of_an_older_build_names_nobody_unreachable) {
  const auto old = kind::decode_command(trial::unhex("920192059402c3910792c40177c40179"));
  BOOST_REQUIRE(old.has_value());
  BOOST_TEST(std::get<remove>(*old).unreachable.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cluster_removal_test
}  // namespace omnicart::cluster_record
