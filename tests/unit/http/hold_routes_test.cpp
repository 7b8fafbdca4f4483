#include "actors/stock/stock_messages.hpp"
#include "runtime/base/limits.hpp"
#include "tests/unit/http/tiny_shop.hpp"

namespace omnicart::http {
namespace hold_routes_test {

using nlohmann::json;
using trial::told;

struct holding {
  holding() {
    for (const char* id : {"tea", "milk"}) {
      const json product = {
          {"id", id}, {"name", id}, {"price", {{"amount", 100}, {"currency", "GBP"}}}};
      BOOST_REQUIRE(
          api({.verb = "POST", .path = "/api/products", .body = product, .token = admin}).status ==
          201);
      count(id, 100);
    }
    token = api({.verb = "POST", .path = "/api/sessions", .body = json::object()}).text("token");
  }

  void count(const std::string& product, int on_hand) {
    BOOST_REQUIRE(api({.verb = "PUT",
                       .path = "/api/inventory/" + product,
                       .body = {{"on_hand", on_hand}, {"reason", "delivery"}},
                       .token = admin})
                      .status == 200);
  }
  told hold(const std::string& product, const std::string& key = "", int quantity = 1) {
    return api({.verb = "POST",
                .path = "/api/inventory/reserve",
                .body = {{"product_id", product}, {"quantity", quantity}, {"ttl_s", 60}},
                .token = token,
                .key = key});
  }
  told release(const told& held) {
    return api({.verb = "DELETE", .path = path_of(held), .token = token});
  }
  told extend(const told& held, int ttl_s) {
    return api({.verb = "POST",
                .path = path_of(held) + "/extend",
                .body = {{"ttl_s", ttl_s}},
                .token = token});
  }
  static std::string path_of(const told& held) {
    return "/api/inventory/reservations/" + held.text("reservation_id");
  }
  // `of` holds of both products in turn.
  std::vector<told> holds(int of) {
    std::vector<told> made;
    for (int i = 0; i < of; ++i) {
      made.push_back(hold(i % 2 == 0 ? "tea" : "milk"));
      BOOST_REQUIRE(made.back().status == 201);
    }
    return made;
  }
  // As an order's checkout does, without a word to the session.
  void claim(const std::string& product) {
    const std::string session = api({.verb = "GET", .path = "/api/sessions", .token = token})
                                    .body["items"][0]["session_id"];
    envelope message;
    message.to = {"stock", product};
    message.command = stock::encode(stock::claim{order_id{"o"}, 1, {session}});
    message.asker.as = role::system;
    api.entities.send(std::move(message));
  }

  trial::tiny_shop api;
  std::string admin = api.staff_token(role::admin);
  std::string token;
};

BOOST_AUTO_TEST_SUITE(hold_routes)

BOOST_FIXTURE_TEST_CASE(ten_holds_a_session_are_counted_over_all_products, holding) {
  holds(10);
  for (const char* product : {"tea", "milk"}) {
    const told refused = hold(product);
    BOOST_TEST(refused.status == 422);
    BOOST_TEST(refused.text("code") == "hold_limit");
  }
  token = api({.verb = "POST", .path = "/api/sessions", .body = json::object()}).text("token");
  BOOST_TEST(hold("tea").status == 201);
}

BOOST_FIXTURE_TEST_CASE(the_staff_without_a_session_hold_without_limit, holding) {
  token = admin;
  holds(12);
}

BOOST_FIXTURE_TEST_CASE(a_released_hold_makes_room_at_once, holding) {
  const auto made = holds(10);
  BOOST_TEST(release(made[3]).status == 204);
  BOOST_TEST(hold("milk").status == 201);
  BOOST_TEST(hold("milk").status == 422);
}

BOOST_FIXTURE_TEST_CASE(a_refused_hold_takes_no_room, holding) {
  for (int i = 0; i < 12; ++i) BOOST_TEST(hold("tea", "", 1'000).text("code") == "out_of_stock");
  holds(10);
}

BOOST_FIXTURE_TEST_CASE(an_expired_hold_makes_room, holding) {
  holds(10);
  api.time.pass(std::chrono::seconds{60});
  BOOST_TEST(hold("tea").status == 201);
}

BOOST_FIXTURE_TEST_CASE(holds_that_a_checkout_took_over_make_room, holding) {
  holds(10);
  claim("tea");
  api.time.pass(limits::session_hold_window);
  for (int i = 0; i < 5; ++i) BOOST_TEST(hold("tea").status == 201);
  BOOST_TEST(hold("tea").status == 422);
}

BOOST_FIXTURE_TEST_CASE(an_extended_hold_is_counted_for_longer, holding) {
  const auto made = holds(10);
  BOOST_TEST(extend(made[0], 600).status == 200);
  api.time.pass(std::chrono::seconds{70});
  holds(9);
  BOOST_TEST(hold("tea").status == 422);
  BOOST_TEST(extend(made[1], 600).text("code") == "no_such_reservation");
}

BOOST_FIXTURE_TEST_CASE(a_hold_repeated_with_its_key_is_answered_though_ten_others_are_held,
                        holding) {
  const told first = hold("tea", "key-1");
  BOOST_TEST(first.status == 201);
  api.time.pass(std::chrono::seconds{70});  // it ends
  holds(10);
  const told again = hold("tea", "key-1");
  BOOST_TEST(again.status == 201);
  BOOST_TEST(again.has_header("Idempotent-Replayed"));
  BOOST_TEST(again.text("reservation_id") == first.text("reservation_id"));
  BOOST_TEST(!again.body.contains("expires_at"));
}

BOOST_FIXTURE_TEST_CASE(a_repeat_of_an_ended_hold_takes_no_room, holding) {
  BOOST_TEST(hold("tea", "key-1").status == 201);
  api.time.pass(std::chrono::seconds{70});
  BOOST_TEST(hold("tea", "key-1").has_header("Idempotent-Replayed"));
  holds(10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace hold_routes_test
}  // namespace omnicart::http
