#include "runtime/base/version.hpp"

#include <boost/test/unit_test.hpp>
#include <regex>

namespace omnicart {
namespace version_test {

BOOST_AUTO_TEST_SUITE(version)

BOOST_AUTO_TEST_CASE(the_text_names_program_number_and_commit) {
  const std::regex form(R"(omnicart \d+\.\d+\.\d+ \(([0-9a-f]{7,}|unknown)\))");
  BOOST_TEST(std::regex_match(version_text(), form), version_text());
  BOOST_TEST(version_text().find(' ' + version_number() + ' ') != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace version_test
}  // namespace omnicart
