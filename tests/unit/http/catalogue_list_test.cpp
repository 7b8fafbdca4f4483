#include "http/catalogue_list.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "actors/product/product.hpp"
#include "actors/stock/stock.hpp"
#include "http/shelf.hpp"

namespace omnicart::http {
namespace {

const currency_code gbp = *currency_code::parse("GBP");
const currency_code usd = *currency_code::parse("USD");

class rows_in_memory final : public projection_rows {
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
  std::size_t count(char prefix) const {
    std::size_t found = 0;
    for (const auto& [key, value] : rows) found += key.front() == prefix;
    return found;
  }

  std::map<std::string, std::string, std::less<>> rows;
};

// Commands of few sessions and orders, so that they meet.
stock::command random_command(std::mt19937_64& random) {
  const auto below = [&](std::int64_t most) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most)); };
  const reservation_id hold("h" + std::to_string(below(12)));
  const order_id order("o" + std::to_string(below(30)));
  const std::string session = "s" + std::to_string(below(3));
  switch (below(9)) {
    case 0: return stock::set_on_hand{below(40), "count"};
    case 1: return stock::adjust{below(9) - 4, "found"};
    case 2: return stock::reserve{hold, 1 + below(5), session, std::chrono::seconds{1 + below(60)}};
    case 3: return stock::extend{hold, std::chrono::seconds{1 + below(60)}};
    case 4: return stock::release{hold};
    case 5: return stock::claim{order, 1 + below(5), {session}};
    case 6: return stock::unclaim{order};
    case 7: return stock::settle{order};
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

std::uint64_t found(const catalogue_list& list, const catalogue_query& query) { return list.find(query)->total; }

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
  });
  BOOST_TEST(version > 50u);
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace omnicart::http
