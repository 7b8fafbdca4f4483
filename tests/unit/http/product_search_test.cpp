#include "http/product_search.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>

#include "actors/product/product.hpp"
#include "actors/stock/stock.hpp"
#include "http/product_items.hpp"
#include "http/search_cursor.hpp"
#include "tests/unit/http/rows_in_memory.hpp"

namespace omnicart::http {
namespace product_search_test {

const currency_code gbp = *currency_code::parse("GBP");

product::details about(const std::string& name, std::int64_t pence = 100) {
  product::details made;
  made.name = name;
  made.price = {pence, gbp};
  return made;
}

product::details variant(const std::string& name, const std::string& family, std::int64_t pence = 100,
                         std::vector<std::pair<std::string, std::string>> options = {}) {
  auto made = about(name, pence);
  made.family = family;
  made.options = std::move(options);
  return made;
}

struct searching {
  searching() {
    std::string name = (std::filesystem::temp_directory_path() / "omnicart-finder.XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    home = name;
    begin();
  }
  ~searching() {
    finder.reset();
    std::filesystem::remove_all(home);
  }

  // As after a restart.
  void begin() {
    finder.reset();
    finder = std::make_unique<product_search>(home + "/search");
    finder->open(rows);
  }
  void tell(const std::string& id, const product::event& what) {
    finder->apply({"product", id}, ++version,
                  {.at = {}, .by = {}, .event = product::encode_event(what)}, rows);
  }
  void tell_stock(const std::string& id, std::uint64_t at, const stock::event& what) {
    finder->apply({"stock", id}, at, {.at = {}, .by = {}, .event = stock::encode_event(what)},
                  rows);
  }
  void made(const std::string& id, const product::details& content) {
    tell(id, product::created{content, {}});
  }
  void finish() {
    while (finder->idle(rows)) {
    }
  }
  std::set<std::string> ids(const search_query& query) {
    const auto page = finder->find(query, rows);
    BOOST_REQUIRE(page.has_value());
    return {page->ids.begin(), page->ids.end()};
  }
  std::set<std::string> ids(const std::string& text) {
    return ids({.text = text, .sort = search::sort_by::relevance, .limit = 100});
  }

  std::string home;
  rows_in_memory rows;
  std::uint64_t version = 0;
  std::unique_ptr<product_search> finder;
};

using names = std::set<std::string>;

BOOST_FIXTURE_TEST_SUITE(product_searches, searching)

BOOST_AUTO_TEST_CASE(
    products_are_found_from_the_event_that_made_them_to_the_one_that_retired_them) {
  made("a", about("Red kettle"));
  made("b", about("Blue kettle"));
  BOOST_TEST((ids("kettle") == names{"a", "b"}));
  tell("a", product::replaced{about("Red lamp"), {}});
  BOOST_TEST((ids("kettle") == names{"b"}));
  tell("b", product::retired{});
  BOOST_TEST(ids("kettle").empty());
  made("b", about("Green kettle"));
  BOOST_TEST((ids("kettle") == names{"b"}));
  BOOST_TEST(finder->size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_was_applied_before_a_restart_or_comes_again_is_found_once) {
  made("a", about("Red kettle"));
  made("b", about("Blue kettle"));
  BOOST_TEST(ids("kettle").size() == 2u);
  begin();
  BOOST_TEST((ids("kettle") == names{"a", "b"}));
  made("b", about("Blue kettle"));
  BOOST_TEST((ids("kettle") == names{"a", "b"}));
  // Not indexed yet when it ended.
  made("c", about("Green kettle"));
  begin();
  BOOST_TEST((ids("kettle") == names{"a", "b", "c"}));
  // And without the index at all.
  finder.reset();
  std::filesystem::remove_all(home + "/search");
  begin();
  BOOST_TEST((ids("kettle") == names{"a", "b", "c"}));
}

BOOST_AUTO_TEST_CASE(stock_and_sales_narrow_and_sort) {
  made("a", about("Red kettle"));
  made("b", about("Blue kettle"));
  tell_stock("a", 1, stock::counted{.on_hand = 5, .reason = "count"});
  tell_stock("a", 2, stock::claimed{.order = order_id("o1"), .quantity = 5, .taken = {}});
  BOOST_TEST(ids({.text = "kettle", .only = {.in_stock = true}, .sort = search::sort_by::relevance})
                 .empty());
  tell_stock("a", 3, stock::settled{.order = order_id("o1")});
  tell_stock("a", 3, stock::settled{.order = order_id("o1")});
  const auto page = finder->find({.text = "kettle", .sort = search::sort_by::sales}, rows);
  BOOST_REQUIRE(page.has_value());
  BOOST_TEST(page->ids.front() == "a");
  begin();
  BOOST_TEST(finder->find({.sort = search::sort_by::sales}, rows)->ids.front() == "a");
}

BOOST_AUTO_TEST_CASE(a_rating_by_reviews_stays_when_the_product_is_replaced) {
  made("a", about("Red kettle"));
  tell("a", product::rated{.average_centi = 450, .count = 2, .revision = 2, .at = {}});
  const search_query good{.only = {.min_rating_centi = 400}};
  BOOST_TEST((ids(good) == names{"a"}));
  tell("a", product::replaced{about("Red lamp"), {}});
  BOOST_TEST((ids(good) == names{"a"}));
  begin();
  BOOST_TEST((ids(good) == names{"a"}));
}

BOOST_AUTO_TEST_CASE(a_product_is_found_by_each_price_it_has) {
  const currency_code eur = *currency_code::parse("EUR");
  auto both = about("Red kettle", 3'000);
  both.prices = {{900, eur}};
  made("a", both);
  made("b", about("Blue kettle", 800));
  search_query cheap{.text = "kettle", .only = {.max_price = 1'000, .currency = gbp}};
  BOOST_TEST((ids(cheap) == names{"b"}));
  cheap.only.currency = eur;
  BOOST_TEST((ids(cheap) == names{"a"}));
  const search_query by_price{.only = {.currency = eur}, .sort = search::sort_by::price_up};
  BOOST_TEST(finder->find(by_price, rows)->ids.front() == "a");
  both.prices = {{2'000, eur}};
  tell("a", product::replaced{both, {}});
  BOOST_TEST(ids(cheap).empty());
  begin();
  BOOST_TEST(ids(cheap).empty());
}

// Put into the query as they stand in the answer.
BOOST_AUTO_TEST_CASE(facets_say_limits_as_the_query_takes_them) {
  const currency_code jpy = *currency_code::parse("JPY");
  auto dear = about("Red kettle", 123'456);
  dear.prices = {{90'000, jpy}};
  dear.rating_centi = 450;
  made("a", dear);
  made("b", about("Blue kettle", 250));
  tell_stock("b", 1, stock::counted{.on_hand = 2});
  const auto facets_of = [&](const search_query& query) {
    const auto page = finder->find(query, rows);
    BOOST_REQUIRE(page.has_value());
    return nlohmann::json::parse(search_page_json(query, *page, "[]"))["facets"];
  };
  search_query query{.text = "kettle", .only = {.currency = gbp}, .sort = search::sort_by::relevance};
  const auto facets = facets_of(query);
  BOOST_TEST(facets["price"].dump() == R"([{"count":1,"currency":"GBP","max":"2.99","min":"0.00"},)"
                                       R"({"count":1,"currency":"GBP","min":"3.00"}])");
  BOOST_TEST(facets["rating"].dump() == R"([{"count":1,"min":4},{"count":1,"min":3},{"count":1,"min":2},{"count":1,"min":1}])");
  BOOST_TEST(facets["stock"].dump() == R"([{"count":1,"in_stock":true},{"count":1,"in_stock":false}])");
  query.only = {.min_price = 50'000, .max_price = 100'000, .min_rating_centi = 250, .in_stock = false, .currency = jpy};
  const auto narrowed = facets_of(query);
  BOOST_TEST(narrowed["price"].dump() == R"([{"count":1,"currency":"JPY","max":"100000","min":"50000"}])");
  BOOST_TEST(narrowed["rating"].dump() == R"([{"count":1,"min":4},{"count":1,"min":3}])");
  BOOST_TEST(narrowed["stock"].dump() == R"([{"count":1,"in_stock":false}])");
}

BOOST_AUTO_TEST_CASE(what_questions_took_is_counted) {
  made("a", about("Red kettle"));
  finish();
  for (int i = 0; i < 3; ++i) ids("kettle");
  BOOST_TEST(finder->complete("ket", 5).has_value());
  BOOST_TEST(finder->search_times().queries == 3u);
  BOOST_TEST(finder->suggest_times().queries == 1u);
  BOOST_TEST(finder->search_times().us_total > 0u);
}

BOOST_AUTO_TEST_CASE(products_are_found_by_their_family_and_their_options) {
  made("a", variant("Kettle", "Kettles", 100, {{"Colour", "Red"}, {"litres", "2"}}));
  made("b", variant("Kettle", "Kettles", 200, {{"Colour", "Blue"}, {"litres", "2"}}));
  made("c", variant("Kettle", "kettles", 300, {{"Colour", "Red"}}));
  auto plain = about("Kettle");
  plain.attributes = {{"colour", "red"}};
  made("d", plain);
  for (const auto* text : {"", "kettle"}) {
    const auto sort = *text ? search::sort_by::relevance : search::sort_by::id;
    const auto with = [&](search::filters only) { return ids({.text = text, .only = std::move(only), .sort = sort}); };
    BOOST_TEST((with({.family = "Kettles"}) == names{"a", "b"}));
    BOOST_TEST((with({.family = "kettles"}) == names{"c"}));
    BOOST_TEST((with({.family = "kettle"}).empty()));
    BOOST_TEST((with({.options = {{"colour", "RED"}}}) == names{"a", "c"}));
    BOOST_TEST((with({.options = {{"colour", "red"}, {"litres", "2"}}}) == names{"a"}));
    BOOST_TEST((with({.attributes = {{"colour", "red"}}}) == names{"a", "c", "d"}));
    BOOST_TEST((with({.max_price = 150, .currency = gbp, .family = "Kettles"}) == names{"a"}));
  }
  BOOST_TEST((ids("blue kettle") == names{"b", "a", "c", "d"}));  // relaxed: too few are blue
  BOOST_TEST(finder->find({.text = "blue kettle", .sort = search::sort_by::relevance}, rows)->ids.front() == "b");
  const auto page = finder->find({.only = {.family = "Kettles"}}, rows);
  BOOST_REQUIRE(page->counts.attributes.size() == 2u);
  BOOST_TEST(page->counts.attributes[1].first == "litres");
  BOOST_TEST(page->counts.attributes[1].second.front().count == 2u);
}

BOOST_AUTO_TEST_CASE(collapsed_the_best_by_the_sort_stands_for_its_family) {
  const auto add = [&](const std::string& id, const std::string& name, const std::string& family, std::int64_t pence,
                       int hour, std::int64_t stars) {
    auto content = variant(name, family, pence);
    content.rating_centi = stars;
    tell(id, product::created{content, timestamp_ms{std::chrono::hours{hour}}});
  };
  add("a", "Kettle mat for any pot", "f", 500, 1, 100);
  add("b", "Kettle", "f", 300, 2, 200);
  add("c", "An old kettle stand", "f", 400, 3, 300);
  add("d", "Kettle lid", "", 350, 4, 400);
  add("e", "Kettle lid", "", 450, 5, 50);
  add("g", "Blue kettle", "g", 600, 6, 500);
  tell_stock("c", 1, stock::counted{.on_hand = 5, .reason = "count"});
  tell_stock("c", 2, stock::claimed{.order = order_id("o1"), .quantity = 2, .taken = {}});
  tell_stock("c", 3, stock::settled{.order = order_id("o1")});
  using search::sort_by;
  const struct {
    sort_by sort;
    std::vector<std::string> ids;
  } table[] = {{sort_by::id, {"a", "d", "e", "g"}},         {sort_by::price_up, {"b", "d", "e", "g"}},
               {sort_by::price_down, {"g", "a", "e", "d"}}, {sort_by::rating, {"g", "d", "c", "e"}},
               {sort_by::newest, {"g", "e", "d", "c"}},     {sort_by::sales, {"c", "d", "e", "g"}},
               {sort_by::name, {"c", "g", "d", "e"}}};
  for (const char* text : {"", "kettle"}) {
    for (const auto& row : table) {
      for (const std::size_t limit : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
        search_query query{.text = text, .sort = row.sort, .collapsed = search::collapse::family, .limit = limit};
        std::vector<std::string> seen;
        for (int pages = 0; pages < 9; ++pages) {
          const auto page = finder->find(query, rows);
          BOOST_REQUIRE(page.has_value());
          BOOST_TEST(page->total == 4u);
          seen.insert(seen.end(), page->ids.begin(), page->ids.end());
          query.cursor = page->next_cursor;
          if (query.cursor.empty()) break;
        }
        BOOST_TEST(seen == row.ids, boost::test_tools::per_element());
      }
    }
  }
  // By relevance too; what a filter leaves out stands for nothing.
  search_query best{.text = "kettle", .sort = sort_by::relevance, .collapsed = search::collapse::family, .limit = 1};
  names shown;
  for (std::string cursor; shown.size() < 4;) {
    best.cursor = cursor;
    const auto page = finder->find(best, rows);
    BOOST_REQUIRE(page.has_value());
    BOOST_TEST(page->total == 4u);
    BOOST_REQUIRE(page->ids.size() == 1u);
    BOOST_TEST(shown.insert(page->ids.front()).second);
    cursor = page->next_cursor;
    BOOST_TEST(cursor.empty() == (shown.size() == 4));
  }
  BOOST_TEST((shown == names{"b", "d", "e", "g"}));
  best.cursor.clear();
  best.limit = 100;
  best.only.in_stock = true;
  BOOST_TEST((ids(best) == names{"c"}));
  best.only = {.max_price = 500, .currency = gbp, .family = "f"};
  BOOST_TEST((ids(best) == names{"b"}));
}

BOOST_AUTO_TEST_CASE(the_variants_of_a_product_are_the_living_others_of_its_family) {
  const auto told = [&](const std::string& id, std::size_t limit = 100) {
    std::string text;
    for (const auto& each : finder->variants_of(id, "f", limit, rows)) {
      text += each.id + ' ' + std::to_string(each.price.amount_minor) + ' ' + std::to_string(each.available);
      for (const auto& [name, value] : each.options) text += ' ' + name + '=' + value;
      text += '\n';
    }
    return text;
  };
  made("c", variant("Cup", "f", 3, {{"size", "XL"}, {"glaze", "white"}}));
  made("a", variant("Cup", "f", 1, {{"size", "S"}}));
  made("b", variant("Cup", "f", 2));
  made("d", variant("Cup", "g", 4));
  tell_stock("c", 1, stock::counted{.on_hand = 5, .reason = "count"});
  BOOST_TEST(told("b") == "a 1 0 size=S\nc 3 5 size=XL glaze=white\n");
  BOOST_TEST(told("b", 1) == "a 1 0 size=S\n");
  BOOST_TEST(told("new") == "a 1 0 size=S\nb 2 0\nc 3 5 size=XL glaze=white\n");
  tell("a", product::retired{});
  tell("c", product::replaced{variant("Cup", "g"), {}});
  tell("d", product::replaced{variant("Cup", "f", 7), {}});
  BOOST_TEST(told("b") == "d 7 0\n");
  begin();
  BOOST_TEST(told("b") == "d 7 0\n");
  BOOST_TEST(finder->variants_of("b", "", 100, rows).empty());
  BOOST_TEST(finder->variants_of("b", "nothing", 100, rows).empty());
}

BOOST_AUTO_TEST_CASE(nobody_waits_for_variants_while_the_rows_are_made_anew) {
  host_at_once host(rows);
  finder->attach(host, host);
  const auto ask = [&] {
    auto asked = finder->variants("a", "f", 100);
    asked.start([](void*) {}, nullptr);
    return asked.take();
  };
  made("a", variant("Cup", "f"));
  made("b", variant("Cup", "f"));
  const auto early = ask();
  BOOST_REQUIRE(!early.has_value());
  BOOST_TEST(early.error().is(base_errc::unavailable));
  BOOST_TEST(host.asked == 0);
  finish();
  BOOST_REQUIRE(ask().has_value());
  BOOST_TEST(ask()->size() == 1u);
  finder->open(rows);
  BOOST_TEST(!ask().has_value());
  BOOST_TEST((ids("cup") == names{"a", "b"}));
  BOOST_TEST(ask().has_value());
}

BOOST_AUTO_TEST_CASE(pages_hold_everything_once_whatever_the_order) {
  for (int i = 0; i < 57; ++i)
    made("p" + std::to_string(i), about("Kettle number " + std::to_string(i % 7), i % 5));
  for (const auto sort : {search::sort_by::relevance, search::sort_by::price_up,
                          search::sort_by::name, search::sort_by::id}) {
    search_query query{.text = "kettle", .sort = sort, .limit = 10};
    names seen;
    std::size_t count = 0;
    for (int pages = 0; pages < 10; ++pages) {
      const auto page = finder->find(query, rows);
      BOOST_REQUIRE(page.has_value());
      BOOST_TEST(page->total == 57u);
      seen.insert(page->ids.begin(), page->ids.end());
      count += page->ids.size();
      query.cursor = page->next_cursor;
      if (query.cursor.empty()) break;
      // What comes and goes meanwhile does not repeat or skip the rest.
      if (pages == 1) {
        made("new", about("Kettle number 3"));
        tell("new", product::retired{});
      }
    }
    BOOST_TEST(seen.size() == 57u);
    BOOST_TEST(count == 57u);
  }
}

BOOST_AUTO_TEST_CASE(a_cursor_that_is_none_is_refused) {
  made("a", about("Kettle"));
  for (const char* bad : {"zz", "0", "abcd", "9201"}) {
    for (const auto sort : {search::sort_by::relevance, search::sort_by::name}) {
      const auto page = finder->find({.text = "kettle", .sort = sort, .cursor = bad}, rows);
      BOOST_REQUIRE(!page.has_value());
      BOOST_TEST(page.error().is(base_errc::malformed));
    }
  }
  const search_cursor at{.key = "k", .id = "i", .score = 1.25, .before = 7};
  const auto read = read_search_cursor(to_text(at));
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->key == "k" && read->id == "i" && read->score == 1.25 && read->before == 7));
}

BOOST_AUTO_TEST_CASE(too_much_that_is_not_indexed_yet_refuses_a_search_until_it_is) {
  for (std::size_t i = 0; i <= product_search::behind_max; ++i)
    made("p" + std::to_string(i), about("Kettle"));
  BOOST_TEST(finder->behind() > product_search::behind_max);
  const auto early = finder->find({.text = "kettle"}, rows);
  BOOST_REQUIRE(!early.has_value());
  BOOST_TEST(early.error().is(base_errc::unavailable));
  finish();
  BOOST_TEST(finder->behind() == 0u);
  BOOST_TEST(finder->find({.text = "kettle"}, rows)->total == product_search::behind_max + 1);
}

BOOST_AUTO_TEST_CASE(a_random_history_ends_as_if_only_its_end_had_been) {
  const char* words[] = {"kettle", "lamp", "cup", "red", "blue", "acme"};
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      std::map<std::string, product::details> living;
      for (int step = 0; step < 120; ++step) {
        const std::string id = "r" + std::to_string(random() % 12);
        if (random() % 4 == 0) {
          living.erase(id);
          tell(id, product::retired{});
        } else {
          auto content = about(std::string(words[random() % 6]) + ' ' + words[random() % 6]);
          living[id] = content;
          made(id, content);
        }
        if (random() % 20 == 0) begin();
        if (random() % 5 == 0) finish();
      }
      for (const auto* word : words) {
        names wanted;
        for (const auto& [id, content] : living) {
          if (content.name.find(word) != std::string::npos) wanted.insert(id);
        }
        BOOST_TEST((ids(word) == wanted));
      }
      for (const auto& [id, content] : living) tell(id, product::retired{});
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace product_search_test
}  // namespace omnicart::http
