#include "persistence/search/price_bands.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>
#include <vector>

namespace omnicart::search {
namespace price_bands_test {

using limit = std::optional<std::int64_t>;

std::string text_of(const std::vector<price_band>& bands) {
  std::string text;
  for (const auto& each : bands) {
    text += std::to_string(each.min_minor) + "-" + (each.max_minor ? std::to_string(*each.max_minor) : "");
    text += ":" + std::to_string(each.count) + " ";
  }
  return text;
}

std::string bands_of(const std::vector<std::int64_t>& prices, limit min = {}, limit max = {}) {
  price_counter counter;
  for (const auto each : prices) counter.add(each);
  return text_of(counter.bands(min, max));
}

BOOST_AUTO_TEST_SUITE(price_bands)

BOOST_AUTO_TEST_CASE(steps_rise_with_the_price_and_begin_at_round_ones) {
  BOOST_TEST(price_step_of(-5) == 0u);
  BOOST_TEST(price_step_of(0) == 0u);
  BOOST_TEST(price_step_of(std::numeric_limits<std::int64_t>::max()) == price_steps - 1);
  std::size_t last = 0;
  std::string begins;
  for (std::int64_t price = 0; price < 1'100'000; ++price) {
    const auto at = price_step_of(price);
    BOOST_TEST_REQUIRE((at == last || at == last + 1));
    if (at != last) begins += std::to_string(price) + " ";
    last = at;
  }
  BOOST_TEST(begins ==
             "1 2 3 5 7 10 15 20 30 50 70 100 150 200 300 500 700 1000 1500 2000 3000 5000 7000 10000 15000 20000 "
             "30000 50000 70000 100000 150000 200000 300000 500000 700000 1000000 ");
  for (std::int64_t ten = 1'000'000;; ten *= 10) {
    for (const std::int64_t price : {ten, ten / 10 * 15, ten * 2, ten * 3, ten * 5, ten * 7})
      BOOST_TEST_REQUIRE(price_step_of(price) == price_step_of(price - 1) + 1);
    if (ten == 1'000'000'000'000'000'000) break;
  }
}

BOOST_AUTO_TEST_CASE(bands_follow_one_another_from_nothing_to_no_end) {
  BOOST_TEST(bands_of({}) == "");
  BOOST_TEST(bands_of({499}) == "0-:1 ");
  BOOST_TEST(bands_of({0, 0}) == "0-:2 ");
  BOOST_TEST(bands_of({499, 50'000}) == "0-499:1 500-:1 ");
  BOOST_TEST(bands_of({500, 699, 700}) == "0-699:2 700-:1 ");
}

BOOST_AUTO_TEST_CASE(bands_lie_within_the_limits_asked_for) {
  BOOST_TEST(bands_of({450, 499, 510}, 420, 600) == "420-499:2 500-600:1 ");
  BOOST_TEST(bands_of({450}, 450, 450) == "450-450:1 ");
  BOOST_TEST(bands_of({450}, -3, {}) == "0-:1 ");
}

// At most six, of about as many each where the steps allow it.
BOOST_AUTO_TEST_CASE(many_prices_are_shared_out_evenly) {
  std::vector<std::int64_t> prices;
  for (std::int64_t step : {100, 150, 200, 300, 500, 700, 1'000, 1'500, 2'000, 3'000, 5'000, 7'000})
    prices.insert(prices.end(), 10, step);
  BOOST_TEST(bands_of(prices) == "0-199:20 200-499:20 500-999:20 1000-1999:20 2000-4999:20 5000-:20 ");
  // What has more than its share stays together, and leaves fewer bands.
  prices.insert(prices.end(), 600, 320);
  BOOST_TEST(bands_of(prices) == "0-499:640 500-:80 ");
}

BOOST_AUTO_TEST_CASE(what_has_several_prices_counts_once_in_a_band) {
  price_counter counter;
  price_counter::steps both, far;
  both.set(price_step_of(400)).set(price_step_of(450));
  far.set(price_step_of(400)).set(price_step_of(90'000));
  counter.add(both);
  counter.add(far);
  counter.add(price_counter::steps());  // has none
  BOOST_TEST(text_of(counter.bands({}, {})) == "0-499:2 500-:1 ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace price_bands_test
}  // namespace omnicart::search
