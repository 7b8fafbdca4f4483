#include "http/cluster_report.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/http/sound_cluster.hpp"

namespace omnicart::http {
namespace cluster_report_test {

using trial::sound_cluster;

BOOST_AUTO_TEST_SUITE(cluster_report_suite)

BOOST_AUTO_TEST_CASE(a_node_is_named_by_its_number_or_its_name) {
  const auto of = sound_cluster(3);
  BOOST_TEST(find_node(of, "2")->what.id == 2u);
  BOOST_TEST(find_node(of, "n2")->what.id == 2u);
  for (const char* none : {"", "4", "02", "2 ", "n4"})
    BOOST_TEST(find_node(of, none) == nullptr, none);
}

BOOST_AUTO_TEST_CASE(the_json_has_what_each_node_holds) {
  auto of = sound_cluster(3);
  of.shards[0].standbys = {{.node = 3, .lag = {}}};
  of.shards[1].moving = true;
  of.nodes[1].unfit = {.damaged = true, .disk_low = true, .clock_off = true, .stopping = true, .unsaid = true};
  const auto told = nlohmann::json::parse(to_json(of));
  BOOST_TEST(told["nodes"][0]["leads"] == 6);
  BOOST_TEST(told["nodes"][2]["replicas"] == 6);
  BOOST_TEST(told["nodes"][2]["standbys"] == 1);
  BOOST_TEST(told["nodes"][0]["clock_offset_ms"].is_null());
  BOOST_TEST(told["nodes"][0]["unfit"].dump() == "[]");
  BOOST_TEST(told["nodes"][1]["unfit"].dump() ==
             R"(["store_damaged","disk_low","clock_off","stopping","unsaid"])");
  BOOST_TEST(told["shards"][0]["moving"] == false);
  BOOST_TEST(told["shards"][1]["moving"] == true);
  BOOST_TEST(told["shards"][5]["own"] == true);
  BOOST_TEST(told["shards"][0]["standbys"][0]["lag"].is_null());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cluster_report_test
}  // namespace omnicart::http
