#include "cluster/link/drop_count.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/log.hpp"

namespace omnicart::cluster {
namespace drop_count_test {

BOOST_AUTO_TEST_SUITE(drop_count_suite)

BOOST_AUTO_TEST_CASE(each_drop_counts_and_a_flood_of_them_is_a_line_a_second) {
  const auto file =
      std::filesystem::temp_directory_path() / ("omnicart_drops_" + std::to_string(::getpid()));
  std::filesystem::remove(file);
  log::settings with;
  with.file = file.string();
  BOOST_TEST_REQUIRE(log::open(with).has_value());
  const auto began = std::chrono::steady_clock::now();
  drop_count drops("a frame does not read");
  for (int i = 0; i < 1'000; ++i) drops.note(7, "rubbish");
  log::flush();
  const auto took = std::chrono::steady_clock::now() - began;
  static_cast<void>(log::open({}));
  BOOST_TEST(drops.count() == 1'000u);
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::filesystem::remove(file);
  BOOST_TEST_REQUIRE(!lines.empty());
  BOOST_TEST(lines.size() <= 1 + static_cast<std::size_t>(took / quiet_line::interval));
  BOOST_TEST(lines[0].find("a frame does not read") != std::string::npos, lines[0]);
  BOOST_TEST(lines[0].find("node=7 why=rubbish more_of_these=0") != std::string::npos, lines[0]);
}

BOOST_AUTO_TEST_CASE(a_line_says_how_many_were_passed_over_since_the_one_before) {
  quiet_line line;
  const quiet_line::time_point begin{};
  const auto at = [&](int ms) { return line.take(begin + std::chrono::milliseconds{ms}); };
  BOOST_TEST(at(0).value() == 0u);
  BOOST_TEST(!at(1).has_value());
  BOOST_TEST(!at(999).has_value());
  BOOST_TEST(at(1'000).value() == 2u);
  BOOST_TEST(!at(1'500).has_value());
  BOOST_TEST(at(9'000).value() == 1u);
  BOOST_TEST(at(20'000).value() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drop_count_test
}  // namespace omnicart::cluster
