#include "cluster/link/certificate_end.hpp"

#include <openssl/pem.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "cluster/link/openssl_ptr.hpp"
#include "runtime/log.hpp"
#include "tests/unit/cluster/link/link_bench.hpp"

namespace omnicart::cluster {
namespace certificate_end_test {

using namespace std::chrono_literals;

constexpr std::int64_t day_s = 86'400;

timestamp_ms end_in(const std::string& path) {
  const bio_ptr file(BIO_new_file(path.c_str(), "r"));
  BOOST_TEST_REQUIRE(file.get() != nullptr);
  const certificate_ptr read(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
  BOOST_TEST_REQUIRE(read.get() != nullptr);
  return end_of(*read);
}

// Until this goes, lines of the log go to a file.
class log_lines : public test::temporary_folder {
 public:
  log_lines() { BOOST_TEST_REQUIRE(log::open({.file = file_}).has_value()); }
  ~log_lines() { static_cast<void>(log::open({})); }
  std::size_t about_the_end() const {
    log::flush();
    std::ifstream in(file_);
    std::size_t found = 0;
    for (std::string line; std::getline(in, line);)
      found += line.find("the certificate for links to other nodes") != std::string::npos;
    return found;
  }

 private:
  const std::string file_ = path / "log";
};

BOOST_AUTO_TEST_SUITE(certificate_end)

BOOST_AUTO_TEST_CASE(a_certificate_ends_after_as_many_days_as_were_asked_for) {
  const test::certificates by;
  const auto before = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto files = make_node(by.folder.path, {.node = 1, .days = 10});
  BOOST_TEST_REQUIRE(files.has_value());
  const auto after = std::chrono::system_clock::now();
  const auto ends = end_in(files->certificate);
  BOOST_TEST((ends >= before + std::chrono::days(10) && ends <= after + std::chrono::days(10)));
}

BOOST_AUTO_TEST_CASE(less_than_thirty_days_before_the_end_there_is_a_line_and_another_after_it) {
  const auto ends = parse_rfc3339("2027-03-31T12:00:00Z").value();
  struct row {
    duration_ms left;
    const char* says;  // "": nothing
  };
  for (const auto& [left, says] :
       {row{std::chrono::days(397), ""}, row{std::chrono::days(30), ""},
        row{std::chrono::days(30) - 1ms, "ends soon"}, row{1ms, "ends soon"},
        row{0ms, "has ended"}, row{-std::chrono::days(400), "has ended"}}) {
    const std::string line = end_warning(ends, ends - left).value_or("");
    BOOST_TEST(line.empty() == std::string(says).empty(), left.count() << ": " << line);
    BOOST_TEST(line.find(says) != std::string::npos, left.count() << ": " << line);
  }
  BOOST_TEST(day_of(ends) == "2027-03-31");
}

// Node 1's, which is good for so many days from now on.
bool renewed(const test::certificates& by, int days) {
  return make_node(by.folder.path, {.node = 1, .days = days, .on_existing = existing_files::replace})
      .has_value();
}

BOOST_AUTO_TEST_CASE(a_link_says_how_long_its_certificate_is_good_and_follows_its_renewal) {
  const log_lines said;
  const test::certificates by;
  const auto good_for = [](const node_link& link, std::int64_t days) {
    const auto left = link.counts().certificate_expires_s;
    return left && *left <= days * day_s && *left > days * day_s - 600;
  };
  auto with = test::options_for(1, by);
  BOOST_TEST_REQUIRE(renewed(by, 29));
  const auto link = node_link::open(with).value();
  BOOST_TEST(good_for(*link, 29));
  BOOST_TEST(said.about_the_end() == 0u);
  link->start();
  BOOST_TEST(said.about_the_end() == 1u);
  BOOST_TEST_REQUIRE(renewed(by, 28));
  BOOST_TEST(good_for(*link, 29));  // files are read when the node is told to
  BOOST_TEST(link->reload().has_value());
  BOOST_TEST(test::eventually([&] { return good_for(*link, 28) && said.about_the_end() == 2; }));
  BOOST_TEST_REQUIRE(renewed(by, 397));
  BOOST_TEST(link->reload().has_value());
  BOOST_TEST(test::eventually([&] { return good_for(*link, 397); }));
  // One that cannot be used changes nothing.
  std::filesystem::remove(with.certificates->private_key);
  BOOST_TEST(!link->reload().has_value());
  BOOST_TEST(good_for(*link, 397));
  link->stop();
  BOOST_TEST(said.about_the_end() == 2u);
}

BOOST_AUTO_TEST_CASE(the_line_is_repeated_once_a_day_until_the_renewal) {
  const log_lines said;
  const test::certificates by;
  BOOST_TEST(link_options{}.end_warned_every.count() == day_s * 1'000);
  auto with = test::options_for(1, by);
  with.end_warned_every = 10ms;
  BOOST_TEST_REQUIRE(renewed(by, 1));
  const auto link = node_link::open(with).value();
  link->start();
  BOOST_TEST(test::eventually([&] { return said.about_the_end() >= 3; }));
  BOOST_TEST_REQUIRE(renewed(by, 397));
  BOOST_TEST(link->reload().has_value());
  BOOST_TEST(test::eventually(
      [&] { return link->counts().certificate_expires_s.value_or(0) > 300 * day_s; }));
  const auto until_then = said.about_the_end();
  for (int i = 0; i < 10; ++i) BOOST_TEST(link->reload().has_value());
  link->stop();
  BOOST_TEST(said.about_the_end() == until_then);
}

BOOST_AUTO_TEST_CASE(a_link_without_certificates_has_no_end_to_tell) {
  const auto link = node_link::open(test::options_for(1)).value();
  BOOST_TEST(!link->counts().certificate_expires_s.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace certificate_end_test
}  // namespace omnicart::cluster
