#include "runtime/base/text.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

namespace omnicart {
namespace text_test {

BOOST_AUTO_TEST_SUITE(text_rules)

BOOST_AUTO_TEST_CASE(only_well_formed_utf8_is_valid) {
  for (const char* text : {"", "tea", "caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8D\xB5",
                           "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    BOOST_TEST(is_valid_utf8(text), text);
  }
  for (const char* text :
       {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "tea\xE2\x82"}) {
    BOOST_TEST(!is_valid_utf8(text));
  }
}

BOOST_AUTO_TEST_CASE(control_characters_are_no_text) {
  for (const char* text : {"a\tb", "a\nb"}) {
    BOOST_TEST((!is_single_line(text) && is_plain_text(text)));
  }
  for (const std::string& text :
       {std::string("a\rb"), std::string("a\0b", 3), std::string("\x1B"), std::string("\x7F"),
        std::string("\xC2\x80"), std::string("\xC2\x9F")}) {
    BOOST_TEST((!is_single_line(text) && !is_plain_text(text)));
  }
  BOOST_TEST(
      (is_single_line("\xC2\xA0") && is_single_line("\xC2\xA3 5") && !is_single_line("\xFF")));
}

BOOST_AUTO_TEST_CASE(printable_ascii_is_space_to_tilde) {
  BOOST_TEST((is_printable_ascii("") && is_printable_ascii(" ~aZ9/")));
  BOOST_TEST((!is_printable_ascii("a\tb") && !is_printable_ascii("\x7F") &&
              !is_printable_ascii("\xC3\xA9")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace text_test
}  // namespace omnicart
