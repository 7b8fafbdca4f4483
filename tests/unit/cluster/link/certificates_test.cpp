#include "cluster/link/certificates.hpp"

#include <openssl/pem.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cluster/link/certificate_end.hpp"
#include "cluster/link/identity.hpp"
#include "cluster/link/openssl_ptr.hpp"
#include "tests/unit/cluster/link/link_bench.hpp"

namespace omnicart::cluster {
namespace certificates_test {

certificate_ptr read(const std::string& path) {
  const bio_ptr file(BIO_new_file(path.c_str(), "r"));
  BOOST_TEST_REQUIRE(file.get() != nullptr);
  return certificate_ptr(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

unsigned mode_of(const std::string& path) {
  struct stat found {};
  BOOST_TEST_REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

struct folder : test::temporary_folder {
  std::string name = path / "certs";
};

BOOST_FIXTURE_TEST_SUITE(certificate_files, folder)

BOOST_AUTO_TEST_CASE(an_authority_signs_nodes_and_each_certificate_names_its_owner) {
  BOOST_TEST(make_authority(name, {.cluster = "shop-1"}).value() == "shop-1");
  const auto files = make_node(name, {.node = 7, .hosts = {"n7.shop.example", "10.0.0.7", "::1"}});
  BOOST_TEST_REQUIRE(files.has_value());
  const auto authority = read(files->authority), node = read(files->certificate);
  BOOST_TEST((identity_of(*authority) == identity{"shop-1", no_node}));
  BOOST_TEST((identity_of(*node) == identity{"shop-1", 7}));
  BOOST_TEST(X509_verify(node.get(), X509_get0_pubkey(authority.get())) == 1);
  BOOST_TEST(X509_check_ca(authority.get()) == 1);
  BOOST_TEST(X509_check_ca(node.get()) == 0);
  BOOST_TEST(X509_get_pathlen(authority.get()) == 0);
  BOOST_TEST(X509_check_host(node.get(), "n7.shop.example", 0, 0, nullptr) == 1);
  BOOST_TEST(X509_check_ip_asc(node.get(), "10.0.0.7", 0) == 1);
  BOOST_TEST(X509_check_ip_asc(node.get(), "::1", 0) == 1);
  BOOST_TEST(EVP_PKEY_get_bits(X509_get0_pubkey(node.get())) == 256);
}

BOOST_AUTO_TEST_CASE(a_cluster_without_a_name_gets_one_that_nobody_else_has) {
  const auto one = make_authority(name, {}), other = make_authority(name + "-2", {});
  BOOST_TEST((one && other && *one != *other && one->size() == 26));
}

BOOST_AUTO_TEST_CASE(files_are_the_owners_alone) {
  BOOST_TEST_REQUIRE(make_authority(name, {}).has_value());
  BOOST_TEST_REQUIRE(make_node(name, {.node = 1}).has_value());
  int count = 0;
  for (const auto& each : std::filesystem::directory_iterator(name)) {
    BOOST_TEST(mode_of(each.path()) == 0600u);
    ++count;
  }
  BOOST_TEST(count == 4);  // and nothing is left of the writing
  BOOST_TEST(mode_of(name) == 0700u);
}

BOOST_AUTO_TEST_CASE(nothing_is_overwritten_unless_asked) {
  BOOST_TEST_REQUIRE(make_authority(name, {}).has_value());
  const auto files = make_node(name, {.node = 1}).value();
  const std::string authority = content(files.authority), node = content(files.certificate),
                    key = content(files.private_key);
  BOOST_TEST(make_authority(name, {}).error().is(base_errc::precondition_failed));
  BOOST_TEST(make_node(name, {.node = 1}).error().is(base_errc::precondition_failed));
  std::filesystem::remove(files.certificate);
  BOOST_TEST(
      make_node(name, {.node = 1}).error().is(base_errc::precondition_failed));  // the key is there
  BOOST_TEST(!std::filesystem::exists(files.certificate));
  BOOST_TEST((content(files.authority) == authority && content(files.private_key) == key));
  BOOST_TEST(make_node(name, {.node = 1, .on_existing = existing_files::replace}).has_value());
  BOOST_TEST(content(files.certificate) != node);
  BOOST_TEST(content(files.private_key) != key);
  BOOST_TEST(mode_of(files.private_key) == 0600u);
}

BOOST_AUTO_TEST_CASE(wishes_that_make_no_sense_are_refused) {
  BOOST_TEST(make_authority(name, {.cluster = "Shop 1"}).error().is(base_errc::malformed));
  BOOST_TEST(make_authority(name, {.days = 0}).error().is(base_errc::malformed));
  BOOST_TEST(!std::filesystem::exists(name));
  BOOST_TEST(make_node(name, {.node = 1}).error().is(base_errc::not_found));
  BOOST_TEST_REQUIRE(make_authority(name, {}).has_value());
  BOOST_TEST(make_node(name, {.node = 0}).error().is(base_errc::malformed));
  BOOST_TEST(make_node(name, {.node = node_id_max + 1}).error().is(base_errc::malformed));
  BOOST_TEST(make_node(name, {.node = 1, .days = 40'000}).error().is(base_errc::malformed));
  for (const char* host : {"", "a b", "a,URI:omnicart:shop/node/2", "10.0.0.1,DNS:x", "host\n"}) {
    BOOST_TEST(make_node(name, {.node = 1, .hosts = {host}}).error().is(base_errc::malformed),
               host);
  }
  BOOST_TEST(make_authority("/proc/no", {}).error().is(base_errc::io));
}

BOOST_AUTO_TEST_CASE(a_node_is_certified_no_longer_than_its_authority) {
  BOOST_TEST_REQUIRE(make_authority(name, {.days = 30}).has_value());
  const auto until = end_of(*read(authority_files_in(name).certificate));
  const auto beyond = make_node(name, {.node = 1, .days = 31});
  BOOST_TEST_REQUIRE(beyond.error().is(base_errc::malformed));
  BOOST_TEST(beyond.error().detail.find("ends on " + day_of(until)) != std::string::npos,
             beyond.error().detail);
  BOOST_TEST(beyond.error().detail.find("at most 29") != std::string::npos, beyond.error().detail);
  BOOST_TEST(make_node(name, {.node = 1}).error().is(base_errc::malformed));  // nor by default
  BOOST_TEST(!std::filesystem::exists(node_files_in(name, 1).certificate));
  const auto files = make_node(name, {.node = 1, .days = 29});
  BOOST_TEST_REQUIRE(files.has_value());
  BOOST_TEST((end_of(*read(files->certificate)) <= until));
}

BOOST_AUTO_TEST_CASE(half_an_authority_is_completed_and_not_made_anew) {
  BOOST_TEST_REQUIRE(make_authority(name, {}).has_value());
  const auto files = authority_files_in(name);
  const std::string elsewhere = path / "kept.key";
  std::filesystem::rename(files.private_key, elsewhere);
  const auto keyless = make_node(name, {.node = 1}).error();
  BOOST_TEST(keyless.is(base_errc::not_found));
  BOOST_TEST(keyless.detail.find("bring the cluster's ca.key") != std::string::npos,
             keyless.detail);
  BOOST_TEST(keyless.detail.find("cert init") == std::string::npos, keyless.detail);
  std::filesystem::rename(elsewhere, files.private_key);
  std::filesystem::remove(files.certificate);
  const auto nameless = make_node(name, {.node = 1}).error();
  BOOST_TEST(nameless.is(base_errc::not_found));
  BOOST_TEST(nameless.detail.find("bring the cluster's ca.crt") != std::string::npos,
             nameless.detail);
  std::filesystem::remove(files.private_key);
  const auto nothing = make_node(name, {.node = 1}).error();
  BOOST_TEST(nothing.detail.find("cert init") != std::string::npos, nothing.detail);
}

BOOST_AUTO_TEST_CASE(only_what_we_write_is_an_identity) {
  BOOST_TEST((parse_identity("omnicart:shop-1/node/7") == identity{"shop-1", 7}));
  BOOST_TEST((parse_identity("omnicart:shop-1") == identity{"shop-1", no_node}));
  for (const char* text :
       {"", "omnicart:", "omnicart:/node/1", "omnicart:a/node/", "omnicart:a/node/0",
        "omnicart:a/node/01", "omnicart:a/node/-1", "omnicart:a/node/1x",
        "omnicart:a/node/1/node/2", "omnicart:A/node/1", "omnicart:a/node/99999999999999999999",
        "https://a/node/1", "omnicart:a/b"}) {
    BOOST_TEST(!parse_identity(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace certificates_test
}  // namespace omnicart::cluster
