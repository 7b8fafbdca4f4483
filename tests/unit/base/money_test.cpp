#include "runtime/base/money.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

namespace omnicart {
namespace money_test {

const currency_code gbp = *currency_code::parse("GBP");
const currency_code jpy = *currency_code::parse("JPY");
constexpr auto most = std::numeric_limits<std::int64_t>::max();
constexpr auto least = std::numeric_limits<std::int64_t>::min();

BOOST_AUTO_TEST_SUITE(money_rules)

BOOST_AUTO_TEST_CASE(decimals_convert_exactly) {
  struct row { const char* text; currency_code currency; std::int64_t minor; };
  for (const auto& r : {row{"12.99", gbp, 1299}, row{"0", gbp, 0}, row{"7.5", gbp, 750}, row{"-0.01", gbp, -1},
                        row{"12", jpy, 12}, row{"92233720368547758.07", gbp, most}}) {
    const auto parsed = parse_decimal(r.text, r.currency);
    BOOST_TEST_REQUIRE(parsed.has_value(), r.text);
    BOOST_TEST(parsed->amount_minor == r.minor);
  }
}

BOOST_AUTO_TEST_CASE(text_that_is_no_exact_amount_is_refused) {
  for (const char* text : {"", "-", ".", "1.", ".5", "1.999", "1e3", "+1", " 1", "1 ", "0x1", "1,5", "NaN",
                           "92233720368547758.08"}) {
    BOOST_TEST(!parse_decimal(text, gbp).has_value(), text);
  }
  BOOST_TEST(!parse_decimal("1.0", jpy).has_value());
}

BOOST_AUTO_TEST_CASE(sums_outside_64_bits_are_refused) {
  BOOST_TEST(!add({most, gbp}, {1, gbp}).has_value());
  BOOST_TEST(!subtract({least, gbp}, {1, gbp}).has_value());
  BOOST_TEST(!multiply({most / 2 + 1, gbp}, 2).has_value());
}

BOOST_AUTO_TEST_CASE(currencies_never_mix) {
  BOOST_TEST(!add({1, gbp}, {1, jpy}).has_value());
  BOOST_TEST(!subtract({1, gbp}, {1, jpy}).has_value());
}

BOOST_AUTO_TEST_CASE(every_amount_prints_and_parses_back) {
  for (std::int64_t minor : {std::int64_t{0}, std::int64_t{5}, std::int64_t{-5}, std::int64_t{1299}, most}) {
    BOOST_TEST(parse_decimal(to_decimal({minor, gbp}), gbp)->amount_minor == minor);
  }
  BOOST_TEST(to_decimal({least, gbp}) == "-92233720368547758.08");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace money_test
}  // namespace omnicart
