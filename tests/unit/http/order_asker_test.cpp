#include "http/order_asker.hpp"

#include "tests/unit/http/tiny_shop.hpp"

namespace omnicart::http {
namespace order_asker_test {

authority ann() {
  authority who;
  who.who = {.as = role::shopper, .session = "s1", .user = "u1"};
  who.absorbed = {"g1"};
  return who;
}

struct desk {
  trial::tiny_shop api;

  // From here on the question of this number, from 1, to this entity gets no answer, nor do those after it.
  void silent_from(const entity_ref& whom, int first) {
    api.entities.unreachable = [whom, first, asked = 0](const entity_ref& to) mutable {
      return to == whom && ++asked >= first;
    };
  }
  result<caller> asker() { return api.result_of(asker_of(api.in, ann(), "o1")); }
};

BOOST_AUTO_TEST_SUITE(order_asker_suite)

BOOST_FIXTURE_TEST_CASE(of_an_order_that_nobody_placed_oneself_asks, desk) {
  BOOST_TEST(asker().value().user == "u1");
}

BOOST_FIXTURE_TEST_CASE(whose_an_order_is_that_cannot_be_asked_is_not_told, desk) {
  for (const int question : {1, 2}) {
    silent_from({"order", "o1"}, question);
    BOOST_TEST(is_fault(asker().error().number));
  }
}

BOOST_FIXTURE_TEST_CASE(ones_own_order_is_not_said_to_be_none_while_it_cannot_be_asked, desk) {
  const nlohmann::json person = {{"email", "ann@example.com"}, {"password", "correct horse"}};
  BOOST_TEST(api({.verb = "POST", .path = "/api/users/register", .body = person}).status == 201);
  const std::string token = api({.verb = "POST", .path = "/api/users/login", .body = person}).text("token");
  const auto shown = [&] { return api({.verb = "GET", .path = "/api/orders/o1", .token = token}); };
  BOOST_TEST(shown().text("code") == "no_such_order");
  for (const int question : {1, 2}) {
    // What is asked next is answered again: a moment's silence.
    api.entities.unreachable = [question, asked = 0](const entity_ref& to) mutable {
      return to.kind == "order" && ++asked == question;
    };
    const auto told = shown();
    BOOST_TEST(told.status == 503);
    BOOST_TEST(told.text("code") == "unavailable");
  }
}

BOOST_FIXTURE_TEST_CASE(guests_of_a_user_who_cannot_be_asked_are_not_left_out, desk) {
  BOOST_TEST(api.result_of(guests_of(api.in, ann())).value().size() == 1U);  // a user who never registered has no others
  silent_from({"user", "u1"}, 1);
  BOOST_TEST(is_fault(api.result_of(guests_of(api.in, ann())).error().number));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace order_asker_test
}  // namespace omnicart::http
