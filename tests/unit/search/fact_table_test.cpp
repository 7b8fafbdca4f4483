#include "persistence/search/fact_table.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <map>
#include <random>
#include <set>

namespace omnicart::search {
namespace fact_table_test {

const currency_code gbp = *currency_code::parse("GBP");
const currency_code usd = *currency_code::parse("USD");

struct shelved {
  document about;
  std::int64_t available = 0, sold = 0;
};

// Most are near one another, a few are not.
std::int64_t random_price(std::mt19937_64& random) {
  const auto small = static_cast<std::int64_t>(random() % 50);
  return random() % 8 ? small : small * 1'000;
}

document random_document(std::mt19937_64& random, slot at) {
  const auto one_of = [&](const std::vector<const char*>& all) {
    return std::string(all[random() % all.size()]);
  };
  document made;
  made.id = "p" + std::to_string(at);
  made.name = one_of({"Kettle", "Lamp", "Cup"});
  made.brand = one_of({"Acme", "acme", "Bolt", ""});
  made.category =
      one_of({"home", "home > kitchen", "home > kitchen > hob", "homeware", "garden", ""});
  made.price = {random_price(random), random() % 4 ? gbp : usd};
  if (random() % 4 == 0) {
    made.other_prices = {
        {random_price(random), made.price.currency == gbp ? usd : gbp}};
  }
  made.rating_centi = random() % 3 ? static_cast<std::int64_t>(random() % 501) : -1;
  if (random() % 2) made.attributes.emplace_back("Colour", one_of({"Red", "red", "Blue"}));
  if (random() % 2) made.attributes.emplace_back("Size", one_of({"L", "XL"}));
  if (random() % 3 == 0) made.attributes.emplace_back("Watts", one_of({"40", "60"}));
  made.family = one_of({"", "", "f", "F", "g", "h"});
  if (made.family.empty()) return made;
  if (random() % 2) made.options.emplace_back("colour", one_of({"Red", "Green"}));
  if (random() % 4 == 0) made.options.emplace_back("watts", one_of({"40", "75"}));
  return made;
}

filters random_filters(std::mt19937_64& random) {
  filters made;
  made.currency = gbp;
  if (random() % 3 == 0) made.category = random() % 2 ? "home" : "home > kitchen";
  if (random() % 3 == 0) made.brand = "ACME";
  if (random() % 3 == 0) made.min_price = static_cast<std::int64_t>(random() % 30);
  if (random() % 3 == 0) made.max_price = static_cast<std::int64_t>(random() % 50);
  if (random() % 3 == 0) made.min_rating_centi = static_cast<std::int64_t>(random() % 400);
  if (random() % 3 == 0) made.in_stock = random() % 2 == 0;
  if (random() % 4 == 0) made.attributes.emplace_back("colour", "RED");
  if (random() % 5 == 0) made.family = random() % 2 ? "f" : "g";
  if (random() % 6 == 0) made.options.emplace_back("Watts", "40");
  return made;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

// The filters as their documentation reads, looked at one by one.
bool fits(const shelved& of, const filters& only) {
  const document& about = of.about;
  std::optional<std::int64_t> price;
  if (about.price.currency == only.currency) price = about.price.amount_minor;
  for (const auto& other : about.other_prices)
    if (other.currency == only.currency) price = other.amount_minor;
  if (!only.category.empty() && about.category != only.category &&
      !about.category.starts_with(only.category + " > "))
    return false;
  if (!only.brand.empty() && lower(about.brand) != lower(only.brand)) return false;
  if (only.min_price && !(price && *price >= *only.min_price)) return false;
  if (only.max_price && !(price && *price <= *only.max_price)) return false;
  if (only.min_rating_centi && about.rating_centi < *only.min_rating_centi) return false;
  if (only.in_stock && (of.available > 0) != *only.in_stock) return false;
  if (!only.family.empty() && about.family != only.family) return false;
  const auto has = [](const auto& pairs, const auto& wanted) {
    return std::ranges::any_of(pairs, [&](const auto& each) {
      return lower(each.first) == lower(wanted.first) && lower(each.second) == lower(wanted.second);
    });
  };
  return std::ranges::all_of(only.options,
                             [&](const auto& each) { return has(about.options, each); }) &&
         std::ranges::all_of(only.attributes, [&](const auto& each) {
           return has(about.attributes, each) || has(about.options, each);
         });
}

std::uint64_t count_with(const std::map<slot, shelved>& all, const filters& only,
                         collapse to = collapse::none) {
  std::uint64_t count = 0;
  std::set<std::string> families;
  for (const auto& [at, each] : all) {
    if (!fits(each, only)) continue;
    const bool is_single = to == collapse::none || each.about.family.empty();
    count += is_single || families.insert(each.about.family).second ? 1 : 0;
  }
  return count;
}

std::uint64_t matching(const fact_table& table, const filters& only, facets& counted,
                       collapse to = collapse::none) {
  const auto match = table.compile(only);
  fact_table::counter counter(table, only, to);
  for (slot at = 0; at < table.slots(); ++at) {
    const auto* row = table.find(at);
    if (row && match(*row)) counter.add(*row);
  }
  counted = counter.result();
  return counter.shown();
}

// Prices, ratings and stock: each count with its limits in the place of those asked for, within which they lie.
void limits_are_counted(const std::map<slot, shelved>& all, const filters& only, collapse to, const facets& counted) {
  const auto with = [&](auto change) {
    auto narrower = only;
    change(narrower);
    return count_with(all, narrower, to);
  };
  std::optional<std::int64_t> behind;  // the last band's end
  std::uint64_t in_bands = 0;
  for (const auto& band : counted.prices) {
    BOOST_TEST_REQUIRE(band.min_minor == (behind ? *behind + 1 : std::max<std::int64_t>(only.min_price.value_or(0), 0)));
    BOOST_TEST_REQUIRE(band.count > 0u);
    behind = band.max_minor;
    BOOST_TEST_REQUIRE((behind.has_value() || &band == &counted.prices.back()));
    in_bands += band.count;
    BOOST_TEST_REQUIRE(band.count == with([&](filters& it) {
      it.min_price = band.min_minor;
      it.max_price = band.max_minor;
    }));
  }
  const auto priced = with([](filters& it) { it.min_price = it.min_price.value_or(0); });
  BOOST_TEST_REQUIRE((to == collapse::none ? in_bands == priced : in_bands >= priced));
  if (!counted.prices.empty()) BOOST_TEST_REQUIRE((behind == only.max_price));
  std::map<int, std::uint64_t> stars;
  for (const auto& each : counted.ratings) stars[each.stars_min] = each.count;
  for (int least = 1; least <= 4; ++least) {
    const auto found = with([&](filters& it) { it.min_rating_centi = least * 100; });
    if (least * 100 >= only.min_rating_centi.value_or(0)) BOOST_TEST_REQUIRE(stars[least] == found);
  }
  BOOST_TEST_REQUIRE((stars.empty() || (stars.begin()->first * 100 >= only.min_rating_centi.value_or(0) && stars.rbegin()->first <= 4)));
  for (const bool there : {true, false}) {
    if (only.in_stock && *only.in_stock != there) continue;
    BOOST_TEST_REQUIRE((there ? counted.in_stock : counted.out_of_stock) == with([&](filters& it) { it.in_stock = there; }));
  }
  if (only.in_stock) BOOST_TEST_REQUIRE((*only.in_stock ? counted.out_of_stock : counted.in_stock) == 0u);
}

BOOST_AUTO_TEST_SUITE(fact_tables)

// Whoever adds a facet's value as a filter gets as many as the facet said.
BOOST_AUTO_TEST_CASE(facets_count_what_their_filter_would_find) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      fact_table table;
      std::map<slot, shelved> all;
      for (int step = 0; step < 150; ++step) {
        const auto at = static_cast<slot>(random() % 60);
        if (random() % 5 == 0) {
          table.erase(at);
          all.erase(at);
          continue;
        }
        shelved& each = all[at];
        each.about = random_document(random, at);
        each.available = static_cast<std::int64_t>(random() % 3);
        table.put(at, each.about);
        table.stock(at, each.available, 0);
      }
      BOOST_TEST_REQUIRE(table.size() == all.size());
      for (int round = 0; round < 20; ++round) {
        const auto only = random_filters(random);
        const auto to = round % 2 ? collapse::family : collapse::none;
        facets counted;
        BOOST_TEST_REQUIRE(matching(table, only, counted, to) == count_with(all, only, to));
        for (const auto& each : counted.brands) {
          auto narrower = only;
          if (!only.brand.empty() && lower(only.brand) != lower(each.value)) continue;
          narrower.brand = each.value;
          BOOST_TEST_REQUIRE(each.count == count_with(all, narrower, to));
        }
        for (const auto& [name, values] : counted.attributes) {
          for (const auto& each : values) {
            auto narrower = only;
            narrower.attributes.emplace_back(name, each.value);
            BOOST_TEST_REQUIRE(each.count == count_with(all, narrower, to));
          }
        }
        for (const auto& each : counted.categories) {
          auto narrower = only;
          narrower.category = each.value;
          BOOST_TEST_REQUIRE(each.count == count_with(all, narrower, to));
        }
        if (only.category.empty()) {
          auto home = only;
          home.category = "home";  // of all that lies in it too
          const bool is_shown = std::ranges::any_of(counted.categories, [](const auto& each) { return each.value == "home"; });
          BOOST_TEST_REQUIRE(is_shown == (count_with(all, home) > 0));
        }
        limits_are_counted(all, only, to, counted);
      }
      std::map<std::string, std::set<slot>> families;
      for (const auto& [at, each] : all) families[each.about.family].insert(at);
      for (const char* name : {"f", "F", "g", "h"}) {
        const auto& members = table.family(name);
        BOOST_TEST_REQUIRE(members.size() == families[name].size());
        BOOST_TEST_REQUIRE((std::set<slot>(members.begin(), members.end()) == families[name]));
      }
      BOOST_TEST_REQUIRE(table.family("").empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(an_attribute_that_nobody_has_fits_nothing) {
  fact_table table;
  std::mt19937_64 random(1);
  table.put(0, random_document(random, 0));
  facets counted;
  filters only;
  only.attributes.emplace_back("colour", "mauve");
  BOOST_TEST(matching(table, only, counted) == 0u);
  only = {};
  only.brand = "nobody";
  BOOST_TEST(matching(table, only, counted) == 0u);
  only = {};
  only.family = "nothing";
  BOOST_TEST(matching(table, only, counted) == 0u);
  only = {};
  only.options.emplace_back("colour", "red");  // an attribute of some is no option
  document red;
  red.id = "red";
  red.attributes = {{"colour", "red"}};
  table.put(1, red);
  BOOST_TEST(matching(table, only, counted) == 0u);
}

// Bare numbers are no facets, or every weight would be one; a size that products differ in is.
BOOST_AUTO_TEST_CASE(an_option_is_a_facet_although_it_is_a_number) {
  fact_table table;
  document shoe;
  shoe.id = "a";
  shoe.attributes = {{"Weight", "900"}};
  shoe.family = "shoe";
  shoe.options = {{"Size", "42"}, {"colour", std::string(100, 'c')}};
  table.put(0, shoe);
  facets counted;
  BOOST_TEST(matching(table, {}, counted) == 1u);
  BOOST_REQUIRE(counted.attributes.size() == 2u);
  BOOST_TEST(counted.attributes[0].first == "colour");
  BOOST_TEST(counted.attributes[1].first == "size");
  BOOST_TEST(counted.attributes[1].second.front().value == "42");
}

BOOST_AUTO_TEST_CASE(a_family_counts_once_in_all_its_categories_together) {
  fact_table table;
  const char* paths[] = {"a > b", "a > c", "a > b", "d"};
  for (slot at = 0; at < std::size(paths); ++at) {
    document each;
    each.id = std::to_string(at);
    each.category = paths[at];
    each.family = "f";
    table.put(at, each);
  }
  facets counted;
  BOOST_TEST(matching(table, {}, counted, collapse::family) == 1u);
  const std::vector<facet_count> once{{"a", 1}, {"a > b", 1}, {"a > c", 1}, {"d", 1}};
  BOOST_TEST((counted.categories == once));
  filters only;
  only.category = "a > b";
  BOOST_TEST(matching(table, only, counted) == 2u);
  BOOST_TEST(matching(table, only, counted, collapse::family) == 1u);
  BOOST_TEST((counted.categories == std::vector<facet_count>{{"a > b", 1}}));
}

BOOST_AUTO_TEST_CASE(categories_make_a_tree_that_counts_what_is_below) {
  fact_table table;
  const char* paths[] = {"a > b > c", "a > b", "a", "d", "a > e", ""};
  for (slot at = 0; at < std::size(paths); ++at) {
    document each;
    each.id = std::to_string(at);
    each.category = paths[at];
    table.put(at, each);
  }
  table.erase(3);
  const auto tree = table.category_tree();
  BOOST_REQUIRE(tree.size() == 1u);
  BOOST_TEST(tree[0].name == "a");
  BOOST_TEST(tree[0].count == 4u);
  BOOST_REQUIRE(tree[0].children.size() == 2u);
  BOOST_TEST(tree[0].children[0].path == "a > b");
  BOOST_TEST(tree[0].children[0].count == 2u);
  BOOST_TEST(tree[0].children[0].children.at(0).path == "a > b > c");
}

BOOST_AUTO_TEST_CASE(rows_sort_by_what_is_asked) {
  fact_table::row cheap, dear, foreign;
  cheap.price = {100, gbp};
  dear.price = {20'000, gbp};
  foreign.price = {1, usd};
  dear.sold = 5;
  dear.rating_centi = 450;
  dear.created_at = timestamp_ms{std::chrono::hours{1}};
  const auto before = [](const auto& a, const auto& b, sort_by by) {
    return fact_table::sort_key(a, by, gbp) < fact_table::sort_key(b, by, gbp);
  };
  BOOST_TEST(before(cheap, dear, sort_by::price_up));
  BOOST_TEST(before(dear, cheap, sort_by::price_down));
  BOOST_TEST(before(dear, foreign, sort_by::price_up));
  foreign.other_prices = {{150, gbp}};
  BOOST_TEST(before(cheap, foreign, sort_by::price_up));
  BOOST_TEST(before(foreign, dear, sort_by::price_up));
  for (const auto by : {sort_by::sales, sort_by::rating, sort_by::newest})
    BOOST_TEST(before(dear, cheap, by));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace fact_table_test
}  // namespace omnicart::search
