#include <boost/test/unit_test.hpp>

#include "actors/cluster/cluster_kind.hpp"
#include "tests/unit/actors/kind_trial.hpp"

// What is stored of the cluster's record, and sent to it, byte by byte.
namespace omnicart::cluster_record {
namespace cluster_codec_test {

// One of each alternative, in their order.
std::vector<event> one_of_each_event() {
  const timestamp_ms then = trial::at(1);
  node n{.id = 2,
         .name = "b",
         .link = "h:1",
         .http = "h:2",
         .operators = "h:3",
         .state = node_state::active,
         .since = then,
         .store = 7};
  const signing_key key{
      .number = 1, .secret = "s", .active_from = then, .expires_at = trial::at(2)};
  const cause by{.who = "w", .why = "y"};
  return {founded{.cluster = "c", .first = n, .shard_count = 64, .keys = {key}, .at = then},
          joined{.who = n, .by = by, .at = then},
          readied{.id = 2, .at = then},
          drained{.id = 2, .by = by, .at = then},
          resumed{.id = 2, .by = by, .at = then},
          removed{.id = 2, .forced = true, .by = by, .at = then},
          replaced{.old_node = 2, .new_node = 3, .by = by, .at = then},
          placed{.shards = {{.shard = 64, .voters = {2, 3}}}, .at = then},
          key_rotated{.key = key, .by = by, .at = then, .others_until = then},
          configured{.settings = {.replicas = 5, .moves_max = 9}, .by = by, .at = then},
          addresses_updated{.id = 2, .link = "h:1", .http = "h:2", .operators = "h:3", .at = then, .store = 7},
          transferred{.shard = 7, .to = 2, .by = by, .at = then},
          rebalanced{.by = by, .at = then}};
}

std::vector<command> one_of_each_command() {
  const timestamp_ms then = trial::at(1);
  const node n{.id = 2,
               .name = "b",
               .link = "h:1",
               .http = "h:2",
               .operators = "h:3",
               .state = node_state::joining,
               .since = {},
               .store = 7};
  const signing_key key{
      .number = 1, .secret = "s", .active_from = then, .expires_at = trial::at(2)};
  const cause by{.who = "w", .why = "y"};
  return {found{.cluster = "c", .first = n, .shard_count = 64, .keys = {key}},
          join{.who = n, .by = by},
          ready{2},
          drain{2, by},
          resume{2, by},
          remove{.id = 2, .force = true, .still_member = {7}, .by = by, .unreachable = {3}},
          replace{2, 3, by},
          place{.shards = {{.shard = 64, .voters = {2, 3}}}},
          rotate_key{key, by, true},
          configure{{.replicas = 5, .moves_max = 9}, by},
          update_addresses{.id = 2, .link = "h:1", .http = "h:2", .operators = "h:3", .store = 7},
          read{.operations = 20},
          transfer{7, 2, by},
          rebalance{by}};
}

BOOST_AUTO_TEST_SUITE(cluster_record_bytes)

BOOST_AUTO_TEST_CASE(stored_and_sent_bytes_stay_as_they_are) {
  static constexpr const char* events[] = {
      "9201920095c401639802c40162c403683a31c403683a32c403683a3302cd03e80740919401c40173cd03e8"
      "cd07d0cd03e8",
      "92019201939802c40162c403683a31c403683a32c403683a3302cd03e80792c40177c40179cd03e8",
      "920192029202cd03e8",
      "92019203930292c40177c40179cd03e8",
      "92019204930292c40177c40179cd03e8",
      "920192059402c392c40177c40179cd03e8",
      "9201920694020392c40177c40179cd03e8",
      "9201920792919240920203cd03e8",
      "92019208949401c40173cd03e8cd07d092c40177c40179cd03e8cd03e8",
      "920192099392050992c40177c40179cd03e8",
      "9201920a9602c403683a31c403683a32c403683a33cd03e807",
      "9201920b94070292c40177c40179cd03e8",
      "9201920c9292c40177c40179cd03e8"};
  static constexpr const char* commands[] = {
      "9201920094c401639802c40162c403683a31c403683a32c403683a3301000740919401c40173cd03e8cd07"
      "d0",
      "92019201929802c40162c403683a31c403683a32c403683a3301000792c40177c40179",
      "920192029102",
      "92019203920292c40177c40179",
      "92019204920292c40177c40179",
      "920192059502c3910792c40177c401799103",
      "9201920693020392c40177c40179",
      "9201920791919240920203",
      "92019208939401c40173cd03e8cd07d092c40177c40179c3",
      "920192099292050992c40177c40179",
      "9201920a9502c403683a31c403683a32c403683a3307",
      "9201920b9114",
      "9201920c93070292c40177c40179",
      "9201920d9192c40177c40179"};
  const auto all_events = one_of_each_event();
  BOOST_REQUIRE(all_events.size() == std::variant_size_v<event>);
  for (std::size_t i = 0; i < all_events.size(); ++i) {
    BOOST_TEST(all_events[i].index() == i);
    BOOST_TEST(trial::hex(kind::encode_event(all_events[i])) == events[i]);
  }
  const auto all_commands = one_of_each_command();
  BOOST_REQUIRE(all_commands.size() == std::variant_size_v<command>);
  for (std::size_t i = 0; i < all_commands.size(); ++i) {
    BOOST_TEST(all_commands[i].index() == i);
    BOOST_TEST(trial::hex(encode(all_commands[i])) == commands[i]);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cluster_codec_test
}  // namespace omnicart::cluster_record
