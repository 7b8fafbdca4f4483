#include "http/product_search.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "actors/product/product.hpp"
#include "actors/stock/stock.hpp"
#include "http/search_cursor.hpp"

namespace omnicart::http {
namespace {

const currency_code gbp = *currency_code::parse("GBP");

class rows_kept final : public projection_rows {
 public:
  std::optional<std::string> get(std::string_view key) override {
    const auto at = rows.find(key);
    return at == rows.end() ? std::nullopt : std::optional(at->second);
  }
  void put(std::string key, std::string value) override { rows[std::move(key)] = std::move(value); }
  void erase(std::string key) override { rows.erase(key); }
  void scan(std::string_view from, std::string_view to, const visitor& visit) override {
    for (auto at = rows.lower_bound(from); at != rows.end() && at->first < to; ++at) {
      if (!visit(at->first, at->second)) return;
    }
  }
  std::map<std::string, std::string, std::less<>> rows;
};

product::details about(const std::string& name, std::int64_t pence = 100) {
  product::details made;
  made.name = name;
  made.price = {pence, gbp};
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
  rows_kept rows;
  std::uint64_t version = 0;
  std::unique_ptr<product_search> finder;
};

using names = std::set<std::string>;

}  // namespace

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

}  // namespace omnicart::http
