#include "tools/omnicartctl/duration_text.hpp"

#include <boost/test/unit_test.hpp>
#include <string_view>

BOOST_AUTO_TEST_SUITE(ctl_duration)

using omnicart::ctl::parse_duration;

BOOST_AUTO_TEST_CASE(a_span_is_seconds_unless_it_names_its_unit) {
  struct row {
    std::string_view text;
    std::int64_t ms;
  };
  for (const auto& [text, ms] :
       {row{"30", 30'000}, row{"30s", 30'000}, row{"500ms", 500}, row{"2m", 120'000},
        row{"1h", 3'600'000}, row{"0", 0}, row{"8760h", 31'536'000'000}}) {
    BOOST_TEST_CONTEXT(text) {
      const auto parsed = parse_duration(text);
      BOOST_TEST_REQUIRE(parsed.has_value());
      BOOST_TEST(parsed->count() == ms);
    }
  }
}

BOOST_AUTO_TEST_CASE(anything_else_is_no_span_of_time) {
  for (const std::string_view text :
       {"", "s", "-1", "-0", "+1", "1.5s", "30 s", " 30", "30S", "1d", "30ss", "0x10", "8761h",
        "31536001s", "9223372036854775807", "99999999999999999999", "9223372036854775807h"}) {
    BOOST_TEST_CONTEXT(text) {
      const auto parsed = parse_duration(text);
      BOOST_TEST_REQUIRE(!parsed.has_value());
      BOOST_TEST(parsed.error().is(omnicart::base_errc::malformed));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
