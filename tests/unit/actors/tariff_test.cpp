#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "actors/tariff/tariff_kind.hpp"
#include "tests/unit/actors/rule_table.hpp"

namespace omnicart::tariff {
namespace tariff_test {

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

// A tariff at random, and one thing wrong with it now and then.
struct drawn_tariff {
  explicit drawn_tariff(std::uint32_t seed) : random(seed) {}

  bool one_in(unsigned n) { return random() % n == 0; }
  std::string country() { return std::vector<std::string>{"GB", "FR", "DE", "US", "*"}[random() % 5]; }

  // At most one rate per country and category.
  taxes draw_taxes() {
    taxes t{.prices_include_tax = one_in(2), .home_country = one_in(2) ? "GB" : "", .rates = {}};
    std::set<std::pair<std::string, std::string>> seen;
    for (auto i = random() % 8; i > 0; --i) {
      country_rate r{country(), {one_in(2) ? "" : "Books", static_cast<std::int64_t>(random() % 10'001), "t"}};
      if (seen.emplace(r.country, r.rate.category).second) t.rates.push_back(std::move(r));
    }
    return t;
  }
  // Whether there was something to spoil.
  bool spoil(taxes& t) {
    if (one_in(3)) return t.home_country = "gb", true;
    if (t.rates.empty()) return false;
    auto& one = t.rates[random() % t.rates.size()];
    switch (random() % 4) {
      case 0:
        return one.rate.rate_bps = one_in(2) ? -1 : 10'001, true;
      case 1:
        return one.country = "GBR", true;
      case 2:
        return one.rate.name = "a\nb", true;
      default:
        t.rates.push_back(t.rates.front());
        return true;
    }
  }
  shipping draw_shipping() {
    shipping s;
    std::vector<std::string> left{"GB", "FR", "DE", "US", "*"};
    std::shuffle(left.begin(), left.end(), random);
    for (auto i = random() % 4; i > 0; --i) {
      zone z{"z" + std::to_string(i), {}};
      for (auto n = random() % 3; n > 0 && !left.empty(); --n) {
        z.countries.push_back(left.back());
        left.pop_back();
      }
      for (auto n = random() % 3; n > 0; --n) s.methods.push_back({z.id, method("m" + std::to_string(n))});
      s.zones.push_back(std::move(z));
    }
    std::shuffle(s.methods.begin(), s.methods.end(), random);
    return s;
  }
  bool spoil(shipping& s) {
    if (one_in(3)) return s.methods.push_back({"nowhere", method("m")}), true;
    if (s.zones.empty()) return false;
    switch (random() % 3) {
      case 0:
        s.zones.push_back(s.zones.front());
        return true;
      case 1:
        return s.zones.front().countries.push_back("Gb"), true;
      default:
        s.methods.push_back({s.zones.front().id, method("")});
        return true;
    }
  }
  pricing::shipping_method method(const std::string& id) {
    pricing::shipping_method made{.id = id, .name = "by " + id, .bands = {}, .free_from = {}};
    std::int64_t weight = 0;
    for (auto i = 1 + random() % 3; i > 0; --i)
      made.bands.push_back({weight += static_cast<std::int64_t>(1 + random() % 900),
                            {gbp(static_cast<std::int64_t>(random() % 900))}});
    if (one_in(3)) made.free_from = {gbp(5'000)};
    return made;
  }

  std::mt19937 random;
};

std::string names_of(const std::vector<pricing::shipping_method>& methods) {
  std::string all;
  for (const auto& each : methods) all += each.id + ' ';
  return all;
}

// What a destination is charged, looked up in tables of the tariff.
void check_terms(const tariff_view& shop, const std::string& country) {
  std::map<std::string, std::vector<pricing::tax_rate>> rates;
  for (const auto& [where, rate] : shop.tax.rates) rates[where].push_back(rate);
  std::map<std::string, std::string> zone_of, methods_of;
  for (const auto& z : shop.carriage.zones) {
    for (const auto& c : z.countries) zone_of[c] = z.id;
  }
  for (const auto& [where, m] : shop.carriage.methods) methods_of[where] += m.id + ' ';

  const auto at = terms_for(shop, country);
  const std::string taxed_in = country.empty() ? shop.tax.home_country : country;
  BOOST_REQUIRE((at.country == taxed_in && at.prices_include_tax == shop.tax.prices_include_tax));
  const bool own = rates.contains(taxed_in);
  BOOST_REQUIRE((at.rates == (taxed_in.empty() ? std::vector<pricing::tax_rate>{}
                                               : rates[own ? taxed_in : "*"])));
  BOOST_REQUIRE(at.ships == (!country.empty() && !shop.carriage.methods.empty()));
  const auto zone = zone_of.contains(country) ? zone_of[country] : zone_of["*"];
  BOOST_REQUIRE(names_of(at.methods) == (at.ships ? methods_of[zone] : ""));
}

// Whatever is set by whomever: what was last accepted holds, whole, and each destination has what
// is listed for it.
BOOST_AUTO_TEST_CASE(random_tariffs_hold_as_they_were_last_set) {
  int refused = 0, changed = 0;
  for (const auto seed : trial::seeds(20)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      drawn_tariff draw(seed);
      trial::subject<kind> one;
      tariff_view model;
      for (int i = 0; i < 120; ++i) {
        one.now += duration_ms{1 + draw.random() % 900};
        const caller& by = draw.one_in(6) ? trial::support : draw.one_in(2) ? boss : trial::system;
        const bool taxing = draw.one_in(2);
        taxes t = draw.one_in(5) ? model.tax : draw.draw_taxes();
        shipping s = draw.one_in(5) ? model.carriage : draw.draw_shipping();
        const bool bad = draw.one_in(4) && (taxing ? draw.spoil(t) : draw.spoil(s));
        const bool known = taxing ? t == model.tax : s == model.carriage;
        const auto code = taxing ? one.give(set_taxes{t}, by) : one.give(set_shipping{s}, by);
        const auto fault =
            taxing ? number(errc::invalid_tax_rates) : number(errc::invalid_shipping_methods);
        BOOST_REQUIRE(code == (by.as < role::admin ? number(base_errc::forbidden) : bad ? fault : 0));
        const bool news = code == 0 && !known;
        BOOST_REQUIRE(one.names == (news ? taxing ? "taxes_set" : "shipping_set" : ""));
        refused += code != 0;
        changed += news;
        if (news) {
          taxing ? static_cast<void>(model.tax = t) : static_cast<void>(model.carriage = s);
          model.updated_at = one.now;
        }
        BOOST_REQUIRE(one.give(get{}, trial::nobody) == 0);
        const auto shown = decode_reply(one.reply).value();
        BOOST_REQUIRE((shown.tax == model.tax && shown.carriage == model.carriage &&
                       shown.updated_at == model.updated_at));
        for (const char* country : {"", "GB", "FR", "NZ"}) check_terms(shown, country);
        one.s = trial::reread<kind>(one.s);
      }
      one.check_replay();
    }
  }
  BOOST_TEST((refused > 5 && changed > 5));
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

}  // namespace tariff_test
}  // namespace omnicart::tariff
