#include "http/person_keys.hpp"

#include "http/person_cipher.hpp"
#include "http/review_json.hpp"
#include "tests/unit/http/tiny_shop.hpp"

// What is sealed with persons' own keys, and read where some of them cannot be asked for.
namespace omnicart::http {
namespace person_keys_test {

using nlohmann::json;

struct persons {
  trial::tiny_shop api;
  std::map<std::string, int> asked;

  persons() {
    api.entities.unreachable = [this](const entity_ref& whom) {
      ++asked[whom.str()];
      return cut_off.contains(whom.str());
    };
  }
  std::set<std::string> cut_off;

  json registered(const std::string& name) {
    const json body = {{"email", name + "@example.com"}, {"password", "correct horse"}, {"name", name}};
    return api({.verb = "POST", .path = "/api/users/register", .body = body}).body;
  }
  std::string key_of(const std::string& user) { return api.result_of(person_key_of(api.in, user)).value(); }
  order::order_view order_of(const std::string& user, const std::string& email) {
    order::order_view view;
    view.buyer.user = user;
    view.email = seal(email, key_of(user));
    return view;
  }
};

BOOST_AUTO_TEST_SUITE(person_keys_suite)

BOOST_FIXTURE_TEST_CASE(each_owner_of_many_orders_is_asked_once, persons) {
  const std::string ann = registered("ann")["user_id"], bob = registered("bob")["user_id"];
  std::vector<order::order_view> views;
  for (int i = 0; i < 3; ++i) {
    views.push_back(order_of(ann, "to-ann"));
    views.push_back(order_of(bob, "to-bob"));
  }
  asked.clear();
  std::vector<order::order_view*> all;
  for (auto& each : views) all.push_back(&each);
  person_keys keys(api.in);
  BOOST_TEST(!api.result_of(keys.open(all)).has_value());
  for (std::size_t i = 0; i < views.size(); ++i) BOOST_TEST(views[i].email == (i % 2 == 0 ? "to-ann" : "to-bob"));
  BOOST_TEST(asked["user/" + ann] == 1);
  BOOST_TEST(asked["user/" + bob] == 1);
}

BOOST_FIXTURE_TEST_CASE(an_order_is_not_shown_as_erased_because_its_owner_cannot_be_asked, persons) {
  const std::string ann = registered("ann")["user_id"];
  order::order_view view = order_of(ann, "to-ann");
  cut_off.insert("user/" + ann);
  person_keys keys(api.in);
  const auto failed = api.result_of(keys.open(view));
  BOOST_TEST_REQUIRE(failed.has_value());
  BOOST_TEST(failed->is(base_errc::unavailable));
}

BOOST_FIXTURE_TEST_CASE(reviews_are_shown_without_the_authors_who_cannot_be_asked_for, persons) {
  const std::string ann = registered("ann")["user_id"], bob = registered("bob")["user_id"];
  std::vector<reviews::review_view> all(4);
  all[0].by = "user:" + ann;
  all[0].name = seal("Ann", key_of(ann));
  all[1].by = "user:" + bob;
  all[1].name = seal("Bob", key_of(bob));
  all[2].by = "user:nobody";
  all[2].name = seal("Nobody", key_of(bob));
  all[3].by = "staff";
  all[3].name = "The shop";
  auto shown = all;
  BOOST_TEST(!api.result_of(open_authors(api.in, shown)).has_value());
  const auto names = [&] {
    std::vector<std::string> found;
    for (const auto& each : shown) found.push_back(each.name);
    return found;
  };
  BOOST_TEST((names() == std::vector<std::string>{"Ann", "Bob", "former customer", "The shop"}));
  cut_off.insert("user/" + ann);
  shown = all;
  BOOST_TEST(api.result_of(open_authors(api.in, shown)).has_value());
  BOOST_TEST(shown[0].name == "");
  BOOST_TEST((shown[2].name == "" || shown[2].name == "former customer"));
  BOOST_TEST(shown[3].name == "The shop");
}

// Else the order would be placed once more, as the user's.
BOOST_FIXTURE_TEST_CASE(a_repeated_order_waits_until_it_can_be_told_whether_the_guest_placed_it, persons) {
  const json guest = api({.verb = "POST", .path = "/api/sessions", .body = json::object()}).body;
  registered("ann");
  const json ann = {{"email", "ann@example.com"}, {"password", "correct horse"}};
  const json user = api({.verb = "POST", .path = "/api/users/login", .body = ann, .token = guest["token"]}).body;
  int orders = 0;
  api.entities.unreachable = [&](const entity_ref& whom) { return whom.kind == "order" && ++orders == 1; };
  const json wanted = {{"items", {{{"product_id", "p"}, {"quantity", 1}}}},
                       {"email", "ann@example.com"},
                       {"payment_method", {{"type", "card"}, {"token", "tok_ok"}}}};
  const auto told = api({.verb = "POST",
                         .path = "/api/orders",
                         .body = wanted,
                         .token = user["token"],
                         .key = "5f1c2b9e-0000-4000-8000-00000000000a"});
  BOOST_TEST(told.status == 503, told.body);
  BOOST_TEST(orders == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace person_keys_test
}  // namespace omnicart::http
