#include "tools/omnicartd/preflight.hpp"

#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "cluster/link/certificates.hpp"

namespace omnicart::node {
namespace preflight_test {

// The certificates of cluster berlin-1, and what node 2 of it is configured with.
struct configured_node {
  configured_node() {
    std::string name = (std::filesystem::temp_directory_path() / "omnicart-preflight-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    BOOST_TEST_REQUIRE(cluster::make_authority(folder, {.cluster = "berlin-1"}).has_value());
    BOOST_TEST_REQUIRE(cluster::make_node(folder, {.node = 1}).has_value());
    const auto files = cluster::make_node(folder, {.node = 2});
    BOOST_TEST_REQUIRE(files.has_value());
    given.node = 2;
    given.name = "berlin-1";
    given.address = "10.0.0.2";
    given.port = 7'000;
    given.authority = files->authority;
    given.certificate = files->certificate;
    given.private_key = files->private_key;
  }
  ~configured_node() { std::filesystem::remove_all(folder); }

  void refused(const config::cluster_options& with, const std::string& says) const {
    const auto checked = check_link(with);
    BOOST_TEST_REQUIRE(!checked.has_value(), says);
    BOOST_TEST(checked.error().is(base_errc::malformed), says);
    BOOST_TEST(checked.error().detail.find(says) != std::string::npos, checked.error().detail);
  }

  std::string folder;
  config::cluster_options given;
};

BOOST_FIXTURE_TEST_SUITE(preflight_of_the_link, configured_node)

BOOST_AUTO_TEST_CASE(a_node_with_its_own_certificate_under_the_clusters_name_may_start) {
  BOOST_TEST(check_link(given).has_value());
}

BOOST_AUTO_TEST_CASE(a_certificate_of_another_cluster_names_the_key_to_set) {
  given.name = config::cluster_options{}.name;
  refused(given, "node-2.crt: it is for cluster berlin-1, but cluster.name is omnicart");
}

BOOST_AUTO_TEST_CASE(a_certificate_of_another_node_names_the_key_to_set) {
  given.node = 3;
  refused(given, "node-2.crt: it is for node 2, but cluster.node is 3");
}

BOOST_AUTO_TEST_CASE(files_that_are_missing_or_no_pair_are_named) {
  auto with = given;
  with.authority = folder + "/nowhere.crt";
  refused(with, "nowhere.crt");
  with = given;
  with.certificate = folder + "/nowhere.crt";
  refused(with, "nowhere.crt");
  with = given;
  with.private_key = folder + "/node-1.key";
  refused(with, "node-1.key");
}

BOOST_AUTO_TEST_CASE(without_certificates_only_loopback_will_do) {
  given.authority = given.certificate = given.private_key = "";
  refused(given, "cluster.address: without certificates");
  given.address = "0.0.0.0";
  refused(given, "cluster.certificate");
  for (const char* loopback : {"127.0.0.1", "127.0.0.9", "::1"}) {
    given.address = loopback;
    BOOST_TEST(check_link(given).has_value(), loopback);
  }
}

BOOST_AUTO_TEST_CASE(a_name_and_an_address_that_are_none_are_refused_by_their_keys) {
  auto with = given;
  with.name = "Berlin 1";
  refused(with, "cluster.name: 'Berlin 1'");
  with = given;
  with.address = "shop-2.example";
  refused(with, "cluster.address: 'shop-2.example'");
}

BOOST_AUTO_TEST_CASE(a_node_that_stays_alone_has_no_link_to_check) {
  given.port = -1;
  given.name = "Berlin 1";
  given.certificate = "/nowhere";
  BOOST_TEST(check_link(given).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace preflight_test
}  // namespace omnicart::node
