#include "http/catalogue_list.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "actors/product/product.hpp"
#include "actors/stock/stock.hpp"
#include "http/shelf.hpp"
#include "tests/unit/http/rows_in_memory.hpp"

namespace omnicart::http {
namespace {

const currency_code gbp = *currency_code::parse("GBP");
const currency_code usd = *currency_code::parse("USD");

stock::set_terms random_terms(std::mt19937_64& random) {
  stock::terms to;
  if (random() % 2 == 0) {
    to.more = random() % 2 == 0 ? stock::backorder::later : stock::backorder::ahead;
    to.owed_max = 1 + static_cast<std::int64_t>(random() % 20);
    if (to.more == stock::backorder::ahead) to.available_from = timestamp_ms{std::chrono::hours{9}};
  }
  to.low_stock = static_cast<std::int64_t>(random() % 12);
  return {to};
}

// Commands of few sessions, orders, locations and transfers, so that they meet.
stock::command random_command(std::mt19937_64& random) {
  const auto below = [&](std::int64_t most) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most)); };
  const reservation_id hold("h" + std::to_string(below(12)));
  const order_id order("o" + std::to_string(below(30)));
  const std::string session = "s" + std::to_string(below(3));
  const std::string transfer = "t" + std::to_string(below(6));
  const auto place = [&] { return below(2) == 0 ? std::string() : "l" + std::to_string(below(3)); };
  switch (below(13)) {
    case 0: return stock::set_on_hand{below(40), "count", place()};
    case 1: return stock::adjust{below(9) - 4, "found", place()};
    case 2: return stock::reserve{hold, 1 + below(5), session, std::chrono::seconds{1 + below(60)}};
    case 3: return stock::extend{hold, std::chrono::seconds{1 + below(60)}};
    case 4: return stock::release{hold};
    case 5: return stock::claim{order, 1 + below(5), {session}};
    case 6: return stock::unclaim{order};
    case 7: return stock::settle{order};
    case 8: return stock::send_transfer{transfer, place(), place(), 1 + below(8), "balance"};
    case 9: return stock::receive_transfer{transfer, below(9)};
    case 10: return stock::recall_transfer{transfer};
    case 11: return random_terms(random);
    default: return stock::restock{order, "r" + std::to_string(below(3)), 1 + below(3)};
  }
}

// The events of a product's stock, one by one, with the state after each.
template <class Visit>
void walk(std::uint64_t seed, const Visit& visit) {
  std::mt19937_64 random(seed);
  stock::state state;
  context ctx{.now = timestamp_ms{std::chrono::hours{1}}, .command = {}, .asker = {}};
  ctx.asker.as = role::admin;
  for (int step = 0; step < 400; ++step) {
    ctx.now += std::chrono::seconds(random() % 5);
    const auto events = stock::decide(state, random_command(random), ctx);
    if (!events) continue;
    for (const auto& event : *events) {
      stock::apply(state, event);
      visit(event, state);
    }
  }
}

entity_ref tea(const char* kind) { return {kind, "tea"}; }

event_record recorded(std::string event) { return {.at = {}, .by = {}, .event = std::move(event)}; }

product::event sold_at(money price) {
  product::details about;
  about.name = "Tea";
  about.price = price;
  return product::created{.content = about, .at = {}};
}

std::uint64_t found(const catalogue_list& list, const search::filters& only) { return list.find({.only = only})->total; }

}  // namespace

BOOST_AUTO_TEST_SUITE(catalogue_suite)

BOOST_AUTO_TEST_CASE(a_shelf_has_the_figures_of_its_stock_after_every_event) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      rows_in_memory rows;
      shelf at;
      walk(seed, [&](const stock::event& event, const stock::state& state) {
        put_on_shelf(at, "tea", event, rows);
        BOOST_TEST_REQUIRE(at.available == state.units.available);
        BOOST_TEST_REQUIRE(at.reserved == state.units.reserved);
        BOOST_TEST_REQUIRE(rows.count('h') == state.holds.all().size());
        BOOST_TEST_REQUIRE(rows.count('c') == state.claims.size());
        BOOST_TEST_REQUIRE(rows.count('t') == state.transfers.size());
        BOOST_TEST_REQUIRE((at.promised == state.promised));
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_in_stock_outlives_restarts_and_events_that_come_again) {
  rows_in_memory rows;
  auto list = std::make_unique<catalogue_list>();
  list->apply(tea("product"), 1, recorded(product::encode_event(sold_at({100, gbp}))), rows);
  std::uint64_t version = 0;
  walk(7, [&](const stock::event& event, const stock::state& state) {
    const auto record = recorded(stock::encode_event(event));
    list->apply(tea("stock"), ++version, record, rows);
    if (version % 3 == 0) list->apply(tea("stock"), version, record, rows);
    if (version % 5 == 0) {
      list = std::make_unique<catalogue_list>();
      list->open(rows);
    }
    BOOST_TEST_REQUIRE(found(*list, {.in_stock = true}) == (state.units.available > 0 ? 1u : 0u));
    BOOST_TEST_REQUIRE(found(*list, {.in_stock = false}) == (state.units.available > 0 ? 0u : 1u));
    const std::int64_t threshold = state.promised.low_stock;
    const bool is_low = threshold > 0 && state.units.available <= threshold;
    const auto low = list->find_low("", 9)->items;
    BOOST_TEST_REQUIRE(low.size() == (is_low ? 1u : 0u));
    if (is_low) BOOST_TEST_REQUIRE(low[0].available == state.units.available);
  });
  BOOST_TEST(version > 50u);
}

// A walk that never comes to an event says nothing of it.
BOOST_AUTO_TEST_CASE(the_walks_send_receive_recall_and_sell_what_is_not_there) {
  std::map<std::size_t, int> seen;
  std::int64_t least = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    walk(seed, [&](const stock::event& event, const stock::state& state) {
      ++seen[event.index()];
      least = std::min(least, state.units.available);
    });
  }
  BOOST_TEST(seen.size() == std::variant_size_v<stock::event>);
  BOOST_TEST(least < 0);
}

namespace {

struct low_shelves {
  void sell(const std::string& id) {
    list.apply({"product", id}, 1, recorded(product::encode_event(sold_at({100, gbp}))), rows);
  }
  void stock_event(const std::string& id, stock::event what) {
    list.apply({"stock", id}, ++versions[id], recorded(stock::encode_event(what)), rows);
  }
  void count(const std::string& id, std::int64_t units) {
    stock_event(id, stock::counted{.on_hand = units});
  }
  void threshold(const std::string& id, std::int64_t units) {
    stock_event(id, stock::terms_set{.to = {.low_stock = units}});
  }
  // The ids, with a bar between pages.
  std::string low(std::size_t limit = 9) const {
    std::string names, cursor;
    do {
      const auto page = list.find_low(cursor, limit);
      BOOST_REQUIRE(page.has_value());
      for (const auto& each : page->items) names += each.id;
      cursor = page->next_cursor;
      names += cursor.empty() ? "" : "|";
    } while (!cursor.empty());
    return names;
  }

  rows_in_memory rows;
  catalogue_list list;
  std::map<std::string, std::uint64_t> versions;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_product_is_low_at_its_threshold_and_not_above_it, low_shelves) {
  sell("a");
  threshold("a", 5);
  BOOST_TEST(low() == "a");  // nobody counted it
  count("a", 6);
  BOOST_TEST(low() == "");
  count("a", 5);
  BOOST_TEST(low() == "a");
  threshold("a", 4);
  BOOST_TEST(low() == "");
  count("a", 0);
  threshold("a", 0);
  BOOST_TEST(low() == "");
}

BOOST_FIXTURE_TEST_CASE(low_products_are_listed_by_id_in_pages, low_shelves) {
  for (const char* id : {"d", "b", "a", "c", "e"}) {
    sell(id);
    count(id, 1);
    threshold(id, id[0] == 'c' ? 0 : 2);
  }
  BOOST_TEST(low() == "abde");
  BOOST_TEST(low(2) == "ab|de");
  BOOST_TEST(low(3) == "abd|e");
  list.apply({"product", "b"}, 2, recorded(product::encode_event(product::retired{})), rows);
  BOOST_TEST(low(2) == "ad|e");
  BOOST_TEST((list.find_low("no cursor", 2).error().is(base_errc::malformed)));
}

BOOST_FIXTURE_TEST_CASE(what_is_low_is_known_after_a_restart, low_shelves) {
  for (const char* id : {"a", "b"}) {
    sell(id);
    count(id, 3);
  }
  threshold("a", 3);
  catalogue_list again;
  again.open(rows);
  const auto page = again.find_low("", 9);
  BOOST_TEST_REQUIRE(page->items.size() == 1u);
  BOOST_TEST(page->items[0].id == "a");
  BOOST_TEST(page->items[0].name == "Tea");
  BOOST_TEST(page->items[0].available == 3);
  BOOST_TEST(page->items[0].low_stock == 3);
}

BOOST_AUTO_TEST_CASE(a_product_that_nobody_counted_is_not_in_stock) {
  rows_in_memory rows;
  catalogue_list list;
  list.apply(tea("product"), 1, recorded(product::encode_event(sold_at({100, gbp}))), rows);
  BOOST_TEST(found(list, {.in_stock = true}) == 0u);
  BOOST_TEST(found(list, {.in_stock = false}) == 1u);
  BOOST_TEST(found(list, {}) == 1u);
}

BOOST_AUTO_TEST_CASE(a_price_filter_takes_only_products_of_its_currency) {
  rows_in_memory rows;
  catalogue_list written;
  written.apply(tea("product"), 1, recorded(product::encode_event(sold_at({100, usd}))), rows);
  catalogue_list list;
  list.open(rows);
  BOOST_TEST(found(list, {.min_price = 1, .currency = gbp}) == 0u);
  BOOST_TEST(found(list, {.max_price = 1'000, .currency = gbp}) == 0u);
  BOOST_TEST(found(list, {.min_price = 1, .max_price = 1'000, .currency = usd}) == 1u);
  BOOST_TEST(found(list, {.currency = gbp}) == 1u);
}

namespace {

std::vector<std::string> listed(const catalogue_list& list, search_query query) {
  std::vector<std::string> ids;
  do {
    const auto page = list.find(query);
    BOOST_REQUIRE(page.has_value());
    ids.insert(ids.end(), page->ids.begin(), page->ids.end());
    query.cursor = page->next_cursor;
  } while (!query.cursor.empty());
  return ids;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_list_is_ordered_as_asked_in_pages) {
  rows_in_memory rows;
  catalogue_list list;
  const auto sell = [&](const std::string& id, const std::string& name, money price, std::int64_t stars, int hour) {
    product::details about;
    about.name = name;
    about.price = price;
    about.rating_centi = stars;
    const product::created made{.content = about, .at = timestamp_ms{std::chrono::hours{hour}}};
    list.apply({"product", id}, 1, recorded(product::encode_event(made)), rows);
  };
  sell("a", "Tea", {300, gbp}, 400, 3);
  sell("b", "\u00C9clair", {100, gbp}, 500, 1);
  sell("c", "cup", {200, usd}, 100, 2);
  sell("d", "Gone", {1, gbp}, 1, 9);
  list.apply({"product", "d"}, 2, recorded(product::encode_event(product::retired{})), rows);
  using search::sort_by;
  using order = std::vector<std::string>;
  const struct {
    sort_by sort;
    currency_code currency;
    order ids;
  } table[] = {{sort_by::id, gbp, {"a", "b", "c"}},         {sort_by::name, gbp, {"c", "b", "a"}},
               {sort_by::price_up, gbp, {"b", "a", "c"}},   {sort_by::price_down, gbp, {"a", "b", "c"}},
               {sort_by::price_up, usd, {"c", "b", "a"}},   {sort_by::rating, gbp, {"b", "a", "c"}},
               {sort_by::newest, gbp, {"a", "c", "b"}}};
  for (int turn = 0; turn < 2; ++turn) {
    for (const auto& row : table) {
      for (const std::size_t limit : {std::size_t{1}, std::size_t{9}}) {
        const search_query query{.only = {.currency = row.currency}, .sort = row.sort, .limit = limit};
        BOOST_TEST((listed(list, query) == row.ids));
      }
    }
    list.open(rows);
  }
  BOOST_TEST((list.find({.cursor = "no cursor"}).error().is(base_errc::malformed)));
}

// They are kept until something changes: each change is seen in the next list.
BOOST_AUTO_TEST_CASE(facets_of_all_products_follow_each_change) {
  rows_in_memory rows;
  catalogue_list list;
  std::uint64_t version = 0;
  const auto tell = [&](const product::event& what) {
    list.apply(tea("product"), ++version, recorded(product::encode_event(what)), rows);
  };
  const auto counted = [&](std::int64_t on_hand) {
    list.apply(tea("stock"), ++version, recorded(stock::encode_event(stock::counted{.on_hand = on_hand})), rows);
  };
  const auto told = [&](currency_code currency) {
    std::string text;
    for (int twice = 0; twice < 2; ++twice) {
      const auto page = list.find({.only = {.currency = currency}});
      std::string now = std::to_string(page->total) + " in " + std::to_string(page->counts.in_stock) + " out " +
                        std::to_string(page->counts.out_of_stock);
      for (const auto& each : page->counts.prices) now += " from " + std::to_string(each.min_minor) + " " + std::to_string(each.count);
      for (const auto& each : page->counts.ratings) now += " stars " + std::to_string(each.stars_min);
      BOOST_TEST((twice == 0 || now == text));
      text = now;
    }
    return text;
  };
  BOOST_TEST(told(gbp) == "0 in 0 out 0");
  tell(sold_at({100, gbp}));
  BOOST_TEST(told(gbp) == "1 in 0 out 1 from 0 1");
  BOOST_TEST(told(usd) == "1 in 0 out 1");
  counted(2);
  BOOST_TEST(told(gbp) == "1 in 1 out 0 from 0 1");
  counted(1);
  BOOST_TEST(told(gbp) == "1 in 1 out 0 from 0 1");
  counted(0);
  BOOST_TEST(told(gbp) == "1 in 0 out 1 from 0 1");
  tell(product::rated{.average_centi = 150, .count = 1, .revision = 1, .at = {}});
  BOOST_TEST(told(gbp) == "1 in 0 out 1 from 0 1 stars 1");
  list.open(rows);
  BOOST_TEST(told(gbp) == "1 in 0 out 1 from 0 1 stars 1");
  tell(product::retired{});
  BOOST_TEST(told(gbp) == "0 in 0 out 0");
  tell(sold_at({100, usd}));
  counted(3);
  BOOST_TEST(told(usd) == "1 in 1 out 0 from 0 1 stars 1");
}

// Whoever puts a facet's value in the place of its filter gets as many, of all products too.
BOOST_AUTO_TEST_CASE(facets_of_all_products_count_what_their_filter_finds) {
  rows_in_memory rows;
  catalogue_list list;
  std::mt19937_64 random(11);
  for (int i = 0; i < 60; ++i) {
    product::details about;
    about.name = "Tea";
    about.brand = random() % 2 ? "Leaf" : "LEAF";
    about.category = random() % 2 ? "drinks > hot" : "drinks";
    about.price = {static_cast<std::int64_t>(random() % 5'000), random() % 4 ? gbp : usd};
    if (random() % 2) about.prices = {{static_cast<std::int64_t>(random() % 500), about.price.currency == gbp ? usd : gbp}};
    if (random() % 3) about.rating_centi = static_cast<std::int64_t>(random() % 501);
    about.attributes = {{"Colour", random() % 2 ? "red" : "Green"}};
    about.family = random() % 2 ? "teas" : "";
    if (!about.family.empty()) about.options = {{"grams", random() % 2 ? "100" : "200"}};
    const std::string id = "t" + std::to_string(i);
    list.apply({"product", id}, 1, recorded(product::encode_event(product::created{about, {}})), rows);
    if (random() % 2) list.apply({"stock", id}, 1, recorded(stock::encode_event(stock::counted{.on_hand = 2})), rows);
    if (random() % 9 == 0) list.apply({"product", id}, 2, recorded(product::encode_event(product::retired{})), rows);
  }
  for (const auto currency : {gbp, usd}) {
    const auto check = [&](std::uint64_t count, search::filters only) {
      only.currency = currency;
      BOOST_TEST(count == found(list, only));
    };
    const auto page = list.find({.only = {.currency = currency}, .limit = 1});
    BOOST_REQUIRE(page.has_value());
    const auto& counts = page->counts;
    BOOST_TEST_REQUIRE(counts.brands.size() == 1u);
    BOOST_TEST_REQUIRE(counts.categories.size() == 2u);
    BOOST_TEST_REQUIRE(counts.attributes.size() == 2u);
    BOOST_TEST(counts.prices.size() > 2u);
    BOOST_TEST(counts.ratings.size() == 4u);
    BOOST_TEST(counts.in_stock + counts.out_of_stock == page->total);
    check(counts.brands[0].count, {.brand = counts.brands[0].value});
    for (const auto& each : counts.categories) check(each.count, {.category = each.value});
    for (const auto& [name, values] : counts.attributes)
      for (const auto& each : values) check(each.count, {.attributes = {{name, each.value}}});
    for (const auto& each : counts.prices) check(each.count, {.min_price = each.min_minor, .max_price = each.max_minor});
    for (const auto& each : counts.ratings) check(each.count, {.min_rating_centi = each.stars_min * 100});
    check(counts.in_stock, {.in_stock = true});
    check(counts.out_of_stock, {.in_stock = false});
    list.open(rows);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace omnicart::http
