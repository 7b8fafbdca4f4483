#include "actors/pricing/pricing.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <numeric>
#include <random>

namespace omnicart::pricing {
namespace pricing_test {

const currency_code pounds = *currency_code::parse("GBP");
const currency_code euros = *currency_code::parse("EUR");
money gbp(std::int64_t pence) { return {pence, pounds}; }

item of(std::uint32_t line, std::int64_t pence, std::int64_t quantity, std::string category = {},
        std::int64_t weight_g = 0) {
  return {.line_id = line,
          .product = product_id{"p" + std::to_string(line)},
          .category = std::move(category),
          .quantity = quantity,
          .unit_price = gbp(pence),
          .weight_g = weight_g};
}

held_coupon percent(std::string code, std::int64_t bps) {
  return {std::move(code), {.type = discount_type::percentage, .rate_bps = bps}};
}
held_coupon amount_off(std::string code, std::int64_t pence) {
  return {std::move(code), {.type = discount_type::fixed, .amounts = {gbp(pence)}}};
}
held_coupon units_off(std::string code, std::int64_t buy, std::int64_t get,
                      std::int64_t bps = whole_bps) {
  return {std::move(code),
          {.type = discount_type::buy_x_get_y, .rate_bps = bps, .buy = buy, .get = get}};
}
held_coupon free_carriage(std::string code) {
  return {std::move(code), {.type = discount_type::free_shipping}};
}

terms taxed(std::int64_t bps, bool gross) {
  return {.country = "GB", .prices_include_tax = gross, .rates = {{"", bps, "VAT"}}};
}
terms shipped(std::vector<shipping_method> methods, terms at = {}) {
  at.ships = true;
  at.methods = std::move(methods);
  return at;
}
shipping_method flat(std::string id, std::int64_t pence, std::int64_t max_weight_g = 1'000'000) {
  return {.id = id, .name = "by " + id, .bands = {{max_weight_g, {gbp(pence)}}}};
}

std::string aside_of(const breakdown& b) {
  std::string text;
  for (const auto& each : b.aside)
    text += (text.empty() ? "" : " ") + each.code + ":" + to_string(each.why);
  return text;
}

BOOST_AUTO_TEST_SUITE(pricing_suite)

struct priced_row {
  const char* claim;
  question asked;
  std::int64_t discount = 0, shipping = 0, tax = 0, total = 0;
  const char* aside = "";
};

BOOST_AUTO_TEST_CASE(what_orders_come_to_is_a_table) {
  auto minimum = amount_off("FIVE", 500);
  minimum.rule.minimums = {gbp(2'000)};
  auto only_tea = percent("TEA", 1'000);
  only_tea.rule.category = "Food > Tea";
  auto alone = percent("ALONE", 5'000);
  alone.rule.exclusive = true;
  auto in_euros = held_coupon{"EUROS", {.type = discount_type::fixed, .amounts = {{500, euros}}}};
  auto of_p2 = percent("P2", 5'000);
  of_p2.rule.products = {product_id{"p2"}};
  auto gross_tiers = taxed(2'000, true);
  gross_tiers.rates.push_back({"Food", 0, "zero rate"});
  gross_tiers.rates.push_back({"Food > Sweets", 2'000, "VAT on sweets"});
  auto from_50 = flat("post", 500);
  from_50.free_from = {gbp(5'000)};
  const std::vector<priced_row> table = {
      {"nothing configured: the sum of the lines", {{of(1, 999, 3), of(2, 1, 1)}}, 0, 0, 0, 2'998},
      {"a percentage is rounded per line, half away from zero",
       {{of(1, 5, 1), of(2, 15, 1)}, {percent("TEN", 1'000)}},
       3,
       0,
       0,
       17},
      {"a fixed amount is cut over the lines to the penny",
       {{of(1, 100, 1), of(2, 100, 1), of(3, 100, 1)}, {amount_off("ONE", 100)}},
       100,
       0,
       0,
       200},
      {"a fixed amount never exceeds the goods",
       {{of(1, 300, 1)}, {amount_off("BIG", 500)}},
       300,
       0,
       0,
       0},
      {"two percentages: the second of what is left",
       {{of(1, 1'000, 1)}, {percent("A", 1'000), percent("B", 1'000)}},
       190,
       0,
       0,
       810},
      {"percentages before fixed amounts, however they are called",
       {{of(1, 1'000, 1)}, {amount_off("A", 100), percent("B", 1'000)}},
       200,
       0,
       0,
       800},
      {"buy 2 get 1: the cheapest unit of three",
       {{of(1, 500, 2), of(2, 300, 1)}, {units_off("THREE", 2, 1)}},
       300,
       0,
       0,
       1'000},
      {"buy 2 get 1 of seven: two units",
       {{of(1, 500, 7)}, {units_off("THREE", 2, 1)}},
       1'000,
       0,
       0,
       2'500},
      {"buy 1 get 1 at half price",
       {{of(1, 101, 2)}, {units_off("HALF", 1, 1, 5'000)}},
       51,
       0,
       0,
       151},
      {"too few units: set aside",
       {{of(1, 500, 2)}, {units_off("THREE", 2, 1)}},
       0,
       0,
       0,
       1'000,
       "THREE:nothing_eligible"},
      {"below the minimum: set aside",
       {{of(1, 1'999, 1)}, {minimum}},
       0,
       0,
       0,
       1'999,
       "FIVE:minimum_not_met"},
      {"at the minimum: given", {{of(1, 2'000, 1)}, {minimum}}, 500, 0, 0, 1'500},
      {"the minimum is of the goods before discounts",
       {{of(1, 2'000, 1)}, {minimum, percent("HALF", 5'000)}},
       1'500,
       0,
       0,
       500},
      {"only goods of the category, and below it",
       {{of(1, 1'000, 1, "Food > Tea > Green"), of(2, 1'000, 1, "Food > Teapots")}, {only_tea}},
       100,
       0,
       0,
       1'900},
      {"nothing of the category: set aside",
       {{of(1, 1'000, 1, "Toys")}, {only_tea}},
       0,
       0,
       0,
       1'000,
       "TEA:nothing_eligible"},
      {"only the products named", {{of(1, 1'000, 1), of(2, 1'000, 1)}, {of_p2}}, 500, 0, 0, 1'500},
      {"no amount in this currency: set aside",
       {{of(1, 1'000, 1)}, {in_euros}},
       0,
       0,
       0,
       1'000,
       "EUROS:other_currency"},
      {"an exclusive coupon alone", {{of(1, 1'000, 1)}, {alone}}, 500, 0, 0, 500},
      {"an exclusive coupon steps aside for another",
       {{of(1, 1'000, 1)}, {alone, percent("B", 1'000)}},
       100,
       0,
       0,
       900,
       "ALONE:not_combinable"},
      {"net prices: tax on top", {{of(1, 1'000, 1)}, {}, taxed(2'000, false)}, 0, 0, 200, 1'200},
      {"gross prices: tax within", {{of(1, 1'200, 1)}, {}, taxed(2'000, true)}, 0, 0, 200, 1'200},
      {"tax is rounded per line: two times 0.5",
       {{of(1, 5, 1), of(2, 5, 1)}, {}, taxed(1'000, false)},
       0,
       0,
       2,
       12},
      {"tax is of what is left after discounts",
       {{of(1, 1'000, 1)}, {percent("HALF", 5'000)}, taxed(2'000, false)},
       500,
       0,
       100,
       600},
      {"the longest category's rate",
       {{of(1, 1'200, 1, "Food > Tea"), of(2, 1'200, 1, "Food > Sweets"),
         of(3, 1'200, 1, "Foodstuff")},
        {},
        gross_tiers},
       0,
       0,
       400,
       3'600},
      {"the cheapest method that carries the weight",
       {{of(1, 1'000, 2, "", 600)},
        {},
        shipped({flat("letter", 100, 1'000), flat("parcel", 400), flat("van", 900)})},
       0,
       400,
       0,
       2'400},
      {"the method wished for",
       {{of(1, 1'000, 1)}, {}, shipped({flat("letter", 100), flat("van", 900)}), "van"},
       0,
       900,
       0,
       1'900},
      {"shipping is taxed at the rate of the goods it goes with",
       {{of(1, 1'000, 1)}, {}, shipped({flat("post", 500)}, taxed(2'000, false))},
       0,
       500,
       300,
       1'800},
      {"free from an amount", {{of(1, 5'000, 1)}, {}, shipped({from_50})}, 0, 0, 0, 5'000},
      {"not yet free after a discount",
       {{of(1, 5'000, 1)}, {amount_off("ONE", 1)}, shipped({from_50})},
       1,
       500,
       0,
       5'499},
      {"free shipping",
       {{of(1, 1'000, 1)}, {free_carriage("SHIP")}, shipped({flat("post", 500)})},
       0,
       0,
       0,
       1'000},
      {"free shipping where none is charged: set aside",
       {{of(1, 1'000, 1)}, {free_carriage("SHIP")}},
       0,
       0,
       0,
       1'000,
       "SHIP:nothing_to_ship"},
      {"nothing costs nothing",
       {{of(1, 0, 3)}, {percent("TEN", 1'000)}, taxed(2'000, false)},
       0,
       0,
       0,
       0},
  };
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.claim) {
      const auto got = price(row.asked);
      BOOST_TEST_REQUIRE(got.has_value());
      BOOST_TEST(got->discount_minor == row.discount);
      BOOST_TEST(got->shipping_minor == row.shipping);
      BOOST_TEST(got->tax_minor == row.tax);
      BOOST_TEST(got->total_minor == row.total);
      BOOST_TEST(aside_of(*got) == row.aside);
      BOOST_TEST(adds_up(*got));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_carried_is_said) {
  for (const auto& [claim, asked] : std::vector<std::pair<const char*, question>>{
           {"too heavy", {{of(1, 1, 1, "", 2'000)}, {}, shipped({flat("letter", 100, 1'000)})}},
           {"no such method", {{of(1, 1, 1)}, {}, shipped({flat("letter", 100)}), "van"}},
           {"no method for the destination", {{of(1, 1, 1)}, {}, shipped({})}},
           {"no price in the currency",
            {{{1, product_id{"p"}, "", 1, {1, euros}, 0}}, {}, shipped({flat("letter", 1)})}}}) {
    BOOST_TEST_CONTEXT(claim) {
      const auto got = price(asked);
      BOOST_TEST_REQUIRE(got.has_value());
      BOOST_TEST(got->not_deliverable);
      BOOST_TEST(got->method == "");
    }
  }
}

BOOST_AUTO_TEST_CASE(every_amount_has_its_reason) {
  auto shop = shipped({flat("post", 300)}, taxed(2'000, false));
  const auto got = price({{of(1, 1'000, 3)},
                          {percent("TEN", 1'050), units_off("THREE", 2, 1), free_carriage("SHIP")},
                          shop});
  BOOST_TEST_REQUIRE(got.has_value());
  const line_price& line = got->lines.at(0);
  BOOST_TEST_REQUIRE(line.discounts.size() == 2u);
  BOOST_TEST((line.discounts[0] == discount{"THREE", 1'000, "buy 2 get 1 free"}));
  BOOST_TEST((line.discounts[1] == discount{"TEN", 210, "10.5 % off"}));
  BOOST_TEST(line.tax_bps == 2'000);
  BOOST_TEST(line.tax_name == "VAT");
  BOOST_TEST_REQUIRE(got->shipping_discounts.size() == 1u);
  BOOST_TEST((got->shipping_discounts[0] == discount{"SHIP", 300, "free shipping"}));
  BOOST_TEST(got->method_name == "by post");
}

BOOST_AUTO_TEST_CASE(what_is_no_order_is_refused) {
  const auto refused = [](const question& what) {
    const auto got = price(what);
    return got ? error_number{0} : got.error().number;
  };
  const auto malformed = static_cast<error_number>(base_errc::malformed);
  const auto overflow = static_cast<error_number>(base_errc::overflow);
  BOOST_TEST(refused({}) == malformed);
  BOOST_TEST(refused({{of(1, 1, 0)}}) == malformed);
  BOOST_TEST(refused({{of(1, -1, 1)}}) == malformed);
  BOOST_TEST(refused({{of(1, 1, 1), {2, product_id{"x"}, "", 1, {1, euros}, 0}}}) == overflow);
  BOOST_TEST(refused({{of(1, INT64_MAX, 2)}}) == overflow);
  BOOST_TEST(refused({{of(1, INT64_MAX, 1), of(2, 1, 1)}}) == overflow);
  BOOST_TEST(refused({{of(1, INT64_MAX, 1)}, {}, taxed(1'000, false)}) == overflow);
}

BOOST_AUTO_TEST_CASE(shares_are_rounded_half_away_from_zero) {
  struct row {
    std::int64_t amount, part, whole, result;
  };
  for (const auto& r : std::vector<row>{{5, 1'000, 10'000, 1},
                                        {4, 1'000, 10'000, 0},
                                        {15, 1'000, 10'000, 2},
                                        {25, 1'000, 10'000, 3},
                                        {-5, 1'000, 10'000, -1},
                                        {5, 1, 11, 0},
                                        {6, 1, 11, 1},
                                        {INT64_MAX, 10'000, 10'000, INT64_MAX},
                                        {0, 1, 3, 0},
                                        {1, 1, 2, 1}}) {
    BOOST_TEST(round_share(r.amount, r.part, r.whole) == r.result,
               r.amount << " * " << r.part << " / " << r.whole);
  }
}

BOOST_AUTO_TEST_CASE(a_category_lies_in_those_above_it_and_in_no_others) {
  BOOST_TEST(lies_in("a > b", ""));
  BOOST_TEST(lies_in("a > b", "a"));
  BOOST_TEST(lies_in("a > b", "a > b"));
  BOOST_TEST(!lies_in("a", "a > b"));
  BOOST_TEST(!lies_in("ab", "a"));
  BOOST_TEST(!lies_in("a > bc", "a > b"));
  BOOST_TEST(!lies_in("", "a"));
}

// --- properties

std::uint64_t seed() {
  const char* given = std::getenv("OMNICART_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 20'240'901;
}

struct maker {
  std::mt19937_64 random;
  std::int64_t upto(std::int64_t most) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most + 1));
  }
  bool maybe() { return upto(1) == 1; }

  std::string category() {
    return std::vector<std::string>{"", "a", "a > b", "a > b > c",
                                    "d"}[static_cast<std::size_t>(upto(4))];
  }
  held_coupon coupon(int n) {
    held_coupon made{"C" + std::to_string(n), {.type = static_cast<discount_type>(upto(3))}};
    made.rule.rate_bps = 1 + upto(whole_bps - 1);
    made.rule.amounts = {gbp(1 + upto(5'000))};
    made.rule.buy = 1 + upto(3);
    made.rule.get = 1 + upto(2);
    made.rule.category = category();
    if (maybe()) made.rule.minimums = {gbp(upto(20'000))};
    made.rule.exclusive = upto(9) == 0;
    return made;
  }
  question question_of() {
    question made;
    const auto lines = 1 + upto(8);
    for (std::int64_t i = 1; i <= lines; ++i) {
      made.items.push_back(of(static_cast<std::uint32_t>(i),
                              upto(upto(3) == 0 ? 1'000'000'000 : 3'000), 1 + upto(20), category(),
                              upto(3'000)));
    }
    const auto coupons = static_cast<int>(upto(5));
    for (int i = 0; i < coupons; ++i) made.coupons.push_back(coupon(i));
    made.of_shop.prices_include_tax = maybe();
    made.of_shop.country = "GB";
    for (const char* each : {"", "a", "a > b", "d"}) {
      if (maybe()) made.of_shop.rates.push_back({each, upto(whole_bps), "tax"});
    }
    if (maybe())
      made.of_shop =
          shipped({flat("x", upto(2'000), 20'000), flat("y", upto(4'000))}, made.of_shop);
    return made;
  }
};

BOOST_AUTO_TEST_CASE(of_any_order_the_lines_add_up_and_nothing_is_negative) {
  BOOST_TEST_MESSAGE("OMNICART_SEED=" << seed());
  maker make{std::mt19937_64(seed())};
  for (int round = 0; round < 4'000; ++round) {
    question asked = make.question_of();
    const auto got = price(asked);
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST_REQUIRE(adds_up(*got), "round " << round);
    BOOST_TEST_REQUIRE(got->total_minor >= 0);
    BOOST_TEST_REQUIRE(got->lines.size() == asked.items.size());
    for (const auto& line : got->lines) BOOST_TEST_REQUIRE(line.total_minor >= 0);
    // In whatever order the coupons were entered.
    std::shuffle(asked.coupons.begin(), asked.coupons.end(), make.random);
    BOOST_TEST_REQUIRE((*price(asked) == *got));
    // One coupon fewer never makes the goods cheaper (but for the pennies of the cuts), unless
    // that one kept an exclusive one aside.
    const bool exclusive = std::any_of(asked.coupons.begin(), asked.coupons.end(),
                                       [](const auto& c) { return c.rule.exclusive; });
    if (asked.coupons.empty() || exclusive) continue;
    asked.coupons.pop_back();
    BOOST_TEST_REQUIRE(price(asked)->discount_minor <=
                           got->discount_minor + static_cast<std::int64_t>(asked.items.size()),
                       "round " << round);
  }
}

BOOST_AUTO_TEST_CASE(cuts_add_up_and_are_within_one_of_their_exact_part) {
  maker make{std::mt19937_64(seed())};
  for (int round = 0; round < 4'000; ++round) {
    std::vector<std::int64_t> weights(static_cast<std::size_t>(1 + make.upto(10)));
    for (auto& each : weights) each = make.upto(make.maybe() ? 5 : 1'000'000'000'000);
    const std::int64_t amount = make.upto(1'000'000'000);
    const auto shares = cut(amount, weights);
    BOOST_TEST_REQUIRE(std::accumulate(shares.begin(), shares.end(), std::int64_t{0}) == amount);
    const auto whole = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
    for (std::size_t i = 0; i < shares.size() && whole > 0; ++i) {
      const long double exact = static_cast<long double>(amount) *
                                static_cast<long double>(weights[i]) /
                                static_cast<long double>(whole);
      BOOST_TEST_REQUIRE(static_cast<long double>(shares[i]) < exact + 1.0001L);
      BOOST_TEST_REQUIRE(static_cast<long double>(shares[i]) > exact - 1.0001L);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace pricing_test
}  // namespace omnicart::pricing
