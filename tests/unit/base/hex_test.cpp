#include "runtime/base/hex.hpp"

#include <boost/test/unit_test.hpp>

namespace omnicart {
namespace hex_test {

BOOST_AUTO_TEST_SUITE(hex_suite)

BOOST_AUTO_TEST_CASE(every_byte_comes_back) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const auto text = to_hex(all);
  BOOST_TEST(text.size() == 512u);
  BOOST_TEST(text.substr(0, 6) == "000102");
  BOOST_TEST(text.substr(506) == "fdfeff");
  BOOST_TEST_REQUIRE(from_hex(text).has_value());
  BOOST_TEST((*from_hex(text) == all));
  BOOST_TEST(from_hex("").value() == "");
}

BOOST_AUTO_TEST_CASE(what_is_no_small_hexadecimal_is_not_read) {
  for (const char* text : {"0", "abc", "0g", "g0", "AB", "0x10", " 10", "1 "}) BOOST_TEST(!from_hex(text), text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace hex_test
}  // namespace omnicart
