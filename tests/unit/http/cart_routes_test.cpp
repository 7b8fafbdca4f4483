#include "actors/cart/cart_messages.hpp"
#include "tests/unit/http/tiny_shop.hpp"

namespace omnicart::http {
namespace cart_routes_test {

using nlohmann::json;
using trial::call;
using trial::told;

struct shopping {
  shopping() {
    put_product(1'000);
    guest = api({.verb = "POST", .path = "/api/sessions", .body = json::object()});
  }

  void put_product(int price) {
    const json product = {
        {"id", "tea"}, {"name", "Tea"}, {"price", {{"amount", price}, {"currency", "GBP"}}}};
    const bool there = api({.verb = "GET", .path = "/api/products/tea"}).status == 200;
    json body = product;
    if (there) body.erase("id");
    const told done = api({.verb = there ? "PUT" : "POST",
                           .path = there ? "/api/products/tea" : "/api/products",
                           .body = body,
                           .token = admin});
    BOOST_REQUIRE(done.status / 100 == 2);
  }
  told add(int quantity, const std::string& key = "") {
    return api({.verb = "POST",
                .path = "/api/cart/items",
                .body = {{"product_id", "tea"}, {"quantity", quantity}},
                .token = guest.text("token"),
                .key = key});
  }
  // On top of the prices; in parts of ten thousand.
  void tax_at(int rate_bps) {
    const json rate = {{"country", "GB"}, {"rate_bps", rate_bps}, {"name", "VAT"}};
    const json body = {{"prices_include_tax", false}, {"home_country", "GB"}, {"rates", json::array({rate})}};
    const told done = api({.verb = "PUT", .path = "/api/tax-rates", .body = body, .token = admin});
    BOOST_REQUIRE_MESSAGE(done.status == 200, done.body.dump());
  }
  told cart(const std::string& path, const std::string& token) {
    return api({.verb = "GET", .path = path, .token = token});
  }
  // What the cart's timer does when it is due.
  void wake_cart() {
    envelope message;
    message.to = {"cart", guest.text("cart_id")};
    message.command = cart::encode(cart::wake{});
    message.asker.as = role::system;
    api.entities.send(std::move(message));
  }

  trial::tiny_shop api;
  std::string admin = api.staff_token(role::admin);
  told guest;
};

BOOST_AUTO_TEST_SUITE(cart_routes_suite)

BOOST_FIXTURE_TEST_CASE(a_repeated_addition_names_its_line_at_another_price_and_when_retired,
                        shopping) {
  const told first = add(2, "key-1");
  put_product(1'500);
  const told again = add(2, "key-1");
  BOOST_TEST(again.status == 201);
  BOOST_TEST(again.body["item"] == first.body["item"]);
  const told retired = api({.verb = "DELETE", .path = "/api/products/tea", .token = admin});
  BOOST_REQUIRE(retired.status / 100 == 2);
  const told last = add(2, "key-1");
  BOOST_TEST(last.has_header("Idempotent-Replayed"));
  BOOST_TEST(last.body["item"] == first.body["item"]);
  BOOST_TEST(add(2, "key-2").status == 404);
  BOOST_TEST(add(3, "key-1").status == 422);
}

BOOST_FIXTURE_TEST_CASE(an_abandoned_cart_is_not_there_once_its_session_has_expired, shopping) {
  BOOST_REQUIRE(add(2).status == 201);
  const std::string path = "/api/carts/" + guest.text("cart_id");
  api.time.pass(std::chrono::days{30} - std::chrono::minutes{1});
  wake_cart();  // too early
  BOOST_TEST(cart(path, api.staff_token(role::admin)).body["item_count"] == 2);
  api.time.pass(std::chrono::minutes{1});
  wake_cart();
  BOOST_TEST(cart(path, api.staff_token(role::admin)).status == 404);
}

BOOST_FIXTURE_TEST_CASE(a_guest_whose_cart_was_forgotten_begins_a_new_one, shopping) {
  BOOST_REQUIRE(add(2).status == 201);
  api.time.pass(std::chrono::days{30} - std::chrono::minutes{1});
  const told fresh = api({.verb = "POST",
                          .path = "/api/users/refresh",
                          .body = {{"refresh_token", guest.text("refresh_token")}}});
  api.time.pass(std::chrono::minutes{1});
  wake_cart();
  guest.body["token"] = fresh.text("token");
  BOOST_TEST(cart("/api/cart", guest.text("token")).body["items"].empty());
  BOOST_TEST(add(3).body["item"]["line_id"] == 1);
}

// The change was made: who is told that it was not, makes it twice.
BOOST_FIXTURE_TEST_CASE(a_change_that_cannot_be_priced_is_told_as_made, shopping) {
  tax_at(2'000);
  BOOST_REQUIRE(add(2).body["total"]["amount"] == 2'400);
  api.entities.unreachable = [](const entity_ref& to) { return to.kind == "product"; };
  const auto change = [&](const char* verb, const std::string& path, const json& body, const std::string& prefer = "") {
    call what{.verb = verb, .path = path, .body = body, .token = guest.text("token")};
    if (!prefer.empty()) what.fields.push_back({"Prefer", prefer});
    return api(what);
  };
  const auto unpriced = [](const told& got, int subtotal) {
    return got.status == 200 && got.body["unpriced"] == "unavailable" && got.body["subtotal"]["amount"] == subtotal &&
           !got.body.contains("total") && !got.body.contains("tax_total") && got.has_header("ETag");
  };
  BOOST_TEST(unpriced(change("PUT", "/api/cart/items/tea", {{"quantity", 3}}), 3'000));
  BOOST_TEST(unpriced(change("PUT", "/api/cart/items/tea", {{"quantity", 4}}, "return=representation"), 4'000));
  BOOST_TEST(unpriced(change("PUT", "/api/cart/shipping", {{"country", "GB"}}), 4'000));
  BOOST_TEST(cart("/api/cart", guest.text("token")).status == 503);
  api.entities.unreachable = {};
  BOOST_TEST(cart("/api/cart", guest.text("token")).body["total"]["amount"] == 4'800);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cart_routes_test
}  // namespace omnicart::http
