#include "tools/sample_catalogue/catalogue.hpp"

#include <httplib.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "runtime/base/ids.hpp"
#include "tools/sample_catalogue/push.hpp"

namespace omnicart::sample {
namespace catalogue_test {

std::string all_lines(std::uint64_t seed, std::size_t count) {
  std::string lines;
  for (const auto& one : catalogue(seed, count)) lines += import_line(one);
  return lines;
}

// A shop that remembers what it is told; on a free port of loopback.
class false_shop {
 public:
  false_shop() {
    server_.Post("/api/products/import", [this](const httplib::Request& got, httplib::Response&) {
      imported += static_cast<int>(std::count(got.body.begin(), got.body.end(), '\n'));
      tokens.insert(got.get_header_value("Authorization"));
    });
    server_.Put("/api/inventory/([^/]+)",
                [this](const httplib::Request& got, httplib::Response& answer) {
                  if (got.matches[1] == refused) answer.status = 409;
                  stock[got.matches[1]] = nlohmann::json::parse(got.body).at("on_hand");
                });
    server_.Get("/api/inventory/([^/]+)", [this](const httplib::Request& got,
                                                 httplib::Response& answer) {
      const auto at = stock.find(got.matches[1]);
      if (at == stock.end()) answer.status = 404;
      answer.set_content(at == stock.end() ? "{}" : nlohmann::json{{"on_hand", at->second}}.dump(),
                         "application/json");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~false_shop() {
    server_.stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  int imported = 0;
  std::set<std::string> tokens;
  std::map<std::string, std::int64_t> stock;
  std::string refused;

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

BOOST_AUTO_TEST_SUITE(sample_catalogue)

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_catalogue_and_another_does_not) {
  BOOST_TEST((all_lines(1, 200) == all_lines(1, 200)));
  BOOST_TEST((all_lines(1, 200) != all_lines(2, 200)));
  // Whoever changes these bytes changes what everybody's first run shows.
  BOOST_TEST(body_hash(all_lines(1, 1000)) == 7639963169391868335u);
}

BOOST_AUTO_TEST_CASE(a_longer_catalogue_begins_with_a_shorter_one) {
  BOOST_TEST(all_lines(7, 100).starts_with(all_lines(7, 10)));
}

BOOST_AUTO_TEST_CASE(every_product_is_plausible) {
  std::set<std::string> ids, categories, brands;
  for (const auto& one : catalogue(3, 2000)) {
    BOOST_TEST(ids.insert(one.id).second, one.id);
    categories.insert(one.category);
    brands.insert(one.brand);
    BOOST_TEST((one.price_minor >= 250 && one.price_minor < 50'000), one.price_minor);
    BOOST_TEST((one.rating_centi >= 100 && one.rating_centi <= 500), one.rating_centi);
    BOOST_TEST((one.on_hand > 0 && one.weight_g > 0));
    BOOST_TEST(one.name.starts_with(one.brand));
    BOOST_TEST(std::count(one.category.begin(), one.category.end(), '>') == 2);
  }
  BOOST_TEST(categories.size() == 13);
  BOOST_TEST(brands.size() > 20);
}

BOOST_AUTO_TEST_CASE(a_line_is_one_json_object_of_the_import_call) {
  const auto one = catalogue(1, 1).front();
  const std::string text = import_line(one);
  BOOST_TEST(text.find('\n') == text.size() - 1);
  const auto line = nlohmann::json::parse(text);
  BOOST_TEST(line.at("id") == "sample-00001");
  BOOST_TEST(line.at("price").at("amount") == one.price_minor);
  BOOST_TEST(line.at("price").at("currency") == "GBP");
  BOOST_TEST(line.at("rating").get<double>() * 100 == static_cast<double>(one.rating_centi),
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(!line.contains("on_hand"));
}

BOOST_AUTO_TEST_CASE(a_push_imports_all_and_sets_all_stock_once) {
  false_shop server;
  const auto products = catalogue(1, 50);
  const shop target(server.url(), "secret");
  BOOST_TEST(!target.holds(products).value());
  BOOST_TEST_REQUIRE(target.push(products).has_value());
  BOOST_TEST(server.imported == 50);
  BOOST_TEST((server.tokens == std::set<std::string>{"Bearer secret"}));
  for (const auto& one : products) BOOST_TEST(server.stock.at(one.id) == one.on_hand);
  BOOST_TEST(target.holds(products).value());
}

BOOST_AUTO_TEST_CASE(a_push_that_was_cut_short_is_not_taken_for_whole) {
  false_shop server;
  const auto products = catalogue(1, 50);
  server.refused = products[20].id;
  const shop target(server.url(), "secret");
  const auto pushed = target.push(products);
  BOOST_TEST_REQUIRE(!pushed.has_value());
  BOOST_TEST(pushed.error().detail.starts_with("PUT /api/inventory/sample-00021: 409"),
             pushed.error().detail);
  BOOST_TEST(!target.holds(products).value());
}

BOOST_AUTO_TEST_CASE(a_shop_that_is_not_there_is_a_fault) {
  const shop nobody("http://127.0.0.1:1", "secret");
  BOOST_TEST(nobody.push(catalogue(1, 1)).error().is(base_errc::unavailable));
  BOOST_TEST(nobody.holds(catalogue(1, 1)).error().is(base_errc::unavailable));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace catalogue_test
}  // namespace omnicart::sample
