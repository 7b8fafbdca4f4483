#include <boost/test/unit_test.hpp>

#include "actors/tariff/tariff_kind.hpp"
#include "tests/unit/actors/rule_table.hpp"

namespace omnicart::tariff {
namespace {

static_assert(entity_kind<kind>);
using trial::number;

const caller boss{.as = role::admin, .session = {}, .user = {}};
money gbp(std::int64_t pence) { return {pence, *currency_code::parse("GBP")}; }

taxes british() {
  return {.prices_include_tax = true,
          .home_country = "GB",
          .rates = {{"GB", {"", 2'000, "VAT 20 %"}},
                    {"GB", {"Books", 0, "zero rate"}},
                    {"*", {"", 1'000, "elsewhere"}}}};
}
shipping two_zones() {
  const pricing::shipping_method post{
      .id = "post", .name = "Post", .bands = {{1'000, {gbp(300)}}, {5'000, {gbp(700)}}}};
  pricing::shipping_method van = post;
  van.id = "van";
  return {.zones = {{"home", {"GB"}}, {"world", {"*"}}},
          .methods = {{"home", post}, {"home", van}, {"world", post}}};
}

BOOST_AUTO_TEST_SUITE(tariff_suite)

BOOST_AUTO_TEST_CASE(admins_set_what_the_shop_charges) {
  taxes twice = british();
  twice.rates.push_back(twice.rates.front());
  shipping nowhere = two_zones();
  nowhere.zones.clear();
  trial::check_rules<kind>({
      {"taxes", {}, {set_taxes{british()}, boss}, 0, "taxes_set"},
      {"shipping", {}, {set_shipping{two_zones()}, boss}, 0, "shipping_set"},
      {"not by support",
       {},
       {set_taxes{british()}, trial::support},
       number(base_errc::forbidden),
       ""},
      {"nor shipping",
       {},
       {set_shipping{two_zones()}, trial::support},
       number(base_errc::forbidden),
       ""},
      {"the same again: nothing", {{set_taxes{british()}}}, {set_taxes{british()}}, 0, ""},
      {"one rate per country and category",
       {},
       {set_taxes{twice}},
       number(errc::invalid_tax_rates),
       ""},
      {"methods name a zone",
       {},
       {set_shipping{nowhere}},
       number(errc::invalid_shipping_methods),
       ""},
      {"anybody may look", {{set_taxes{british()}}}, {get{}, trial::nobody}, 0, ""},
  });
}

BOOST_AUTO_TEST_CASE(what_is_no_tariff_is_refused) {
  const auto tax = [](auto change) {
    taxes t = british();
    change(t);
    return fault_of(t);
  };
  const auto carriage = [](auto change) {
    shipping s = two_zones();
    change(s);
    return fault_of(s);
  };
  BOOST_TEST(tax([](taxes&) {}) == "");
  BOOST_TEST(tax([](taxes& t) { t.home_country = "gb"; }) == "home_country");
  BOOST_TEST(tax([](taxes& t) { t.rates[0].country = "GBR"; }) != "");
  BOOST_TEST(tax([](taxes& t) { t.rates[0].rate.rate_bps = 10'001; }) != "");
  BOOST_TEST(tax([](taxes& t) { t.rates[0].rate.rate_bps = -1; }) != "");
  BOOST_TEST(tax([](taxes& t) { t.rates[0].rate.name.clear(); }) == "name");
  BOOST_TEST(tax([](taxes& t) { t.rates.resize(rates_max + 1); }) != "");
  BOOST_TEST(tax([](taxes& t) {
               for (std::size_t i = 0; i < rates_per_country_max; ++i)
                 t.rates.push_back({"FR", {"c" + std::to_string(i), 1, "x"}});
               t.rates.push_back({"FR", {"one more", 1, "x"}});
             }) == "rates: at most 100 per country");
  BOOST_TEST(carriage([](shipping&) {}) == "");
  BOOST_TEST(carriage([](shipping& s) { s.zones.push_back(s.zones[0]); }) != "");
  BOOST_TEST(carriage([](shipping& s) { s.zones[1].countries = {"GB"}; }) ==
             "countries: each in one zone");
  BOOST_TEST(carriage([](shipping& s) { s.zones[1].countries = {"gb"}; }) != "");
  BOOST_TEST(carriage([](shipping& s) { s.methods[1].method.id = "post"; }) ==
             "methods: an id once in each zone");
  BOOST_TEST(carriage([](shipping& s) { s.methods[0].method.bands.clear(); }) == "bands");
  BOOST_TEST(carriage([](shipping& s) { s.methods[0].method.bands[1].max_weight_g = 1'000; }) !=
             "");
  BOOST_TEST(carriage([](shipping& s) { s.methods[0].method.bands[1].prices.clear(); }) != "");
  BOOST_TEST(carriage([](shipping& s) { s.methods[0].method.id = "a b"; }) == "id");
  BOOST_TEST(carriage([](shipping& s) {
               s.methods[0].method.free_from = {gbp(1), gbp(2)};
             }) == "free_from");
}

BOOST_AUTO_TEST_CASE(a_destination_has_its_own_terms) {
  const tariff_view shop{.tax = british(), .carriage = two_zones()};
  const auto home = terms_for(shop, "GB");
  BOOST_TEST(home.country == "GB");
  BOOST_TEST(home.prices_include_tax);
  BOOST_TEST(home.rates.size() == 2u);
  BOOST_TEST((home.ships && home.methods.size() == 2u));
  const auto abroad = terms_for(shop, "FR");
  BOOST_TEST_REQUIRE(abroad.rates.size() == 1u);
  BOOST_TEST(abroad.rates[0].name == "elsewhere");
  BOOST_TEST((abroad.ships && abroad.methods.size() == 1u));
  const auto unknown = terms_for(shop, "");
  BOOST_TEST(unknown.country == "GB");
  BOOST_TEST(unknown.rates.size() == 2u);
  BOOST_TEST(!unknown.ships);
  tariff_view near = shop;
  near.carriage.zones.pop_back();
  near.carriage.methods.pop_back();
  const auto too_far = terms_for(near, "FR");
  BOOST_TEST((too_far.ships && too_far.methods.empty()));
  BOOST_TEST(tariff_view{}.blank());
  BOOST_TEST(!shop.blank());
}

BOOST_AUTO_TEST_CASE(stored_and_sent_bytes_stay_as_they_are) {
  trial::subject<kind> one;
  one.give(set_taxes{british()}, boss);
  one.give(set_shipping{{.zones = {{"home", {"GB"}}},
                         .methods = {{"home", two_zones().methods[0].method}}}},
           boss);
  BOOST_TEST(trial::hex(one.log.at(0)) ==
             "920192009393c3c40247429392c402474293c400cd07d0c408564154203230202592c402474293c40542"
             "6f6f6b7300c4097a65726f207261746592c4012a93c400cd03e8c409656c736577686572659303c400c4"
             "00ce000f4240");
  BOOST_TEST(trial::hex(one.log.at(1)) ==
             "9201920193929192c404686f6d6591c40247429192c404686f6d6594c404706f7374c404506f73749292"
             "cd03e89192cd012cc40347425092cd13889192cd02bcc403474250909303c400c400ce000f4240");
  BOOST_TEST(trial::hex(kind::encode_state(one.s)) ==
             "92019393c3c40247429392c402474293c400cd07d0c408564154203230202592c402474293c405426f6f"
             "6b7300c4097a65726f207261746592c4012a93c400cd03e8c409656c73657768657265929192c404686f"
             "6d6591c40247429192c404686f6d6594c404706f7374c404506f73749292cd03e89192cd012cc4034742"
             "5092cd13889192cd02bcc40347425090ce000f4240");
  BOOST_TEST(trial::hex(encode(command{get{}})) == "9201920290");
  BOOST_TEST(decode_reply(trial::with_one_more_field(one.reply)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace omnicart::tariff
