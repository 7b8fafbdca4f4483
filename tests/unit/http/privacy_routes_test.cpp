#include "actors/session/session_messages.hpp"
#include "actors/user/user.hpp"
#include "http/person_keys.hpp"
#include "tests/unit/http/tiny_shop.hpp"

// Guests who become users, and both who are erased, over entities in memory.
namespace omnicart::http {
namespace privacy_routes_test {

using nlohmann::json;
using trial::told;

const json ann = {{"email", "ann@example.com"}, {"password", "correct horse"}};
const json reason = {{"reason", "by letter"}};

struct desk {
  trial::tiny_shop api;

  told guest() { return api({.verb = "POST", .path = "/api/sessions", .body = json::object()}); }
  // One who has ordered something.
  told guest_with_key() {
    told made = guest();
    BOOST_TEST(!key_of(made).empty());
    return made;
  }
  std::string key_of(const told& session) {
    return api.result_of(guest_key_of(api.in, session.text("session_id"))).value();
  }
  std::string kept_key_of(const told& session) {
    const entity_ref owner{"session", session.text("session_id")};
    return api.result_of(http::kept_key_of(api.in, owner)).value();
  }
  std::string enrolled() {
    return api({.verb = "POST", .path = "/api/users/register", .body = ann}).text("user_id");
  }
  told login(const std::string& token = "") {
    return api({.verb = "POST", .path = "/api/users/login", .body = ann, .token = token});
  }
  void absorb(const std::string& user, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const user::command what = user::absorb_guest{.session = "g" + std::to_string(i)};
      api.entities.send(make_envelope(api.in, {"user", user}, user::encode(what), engine()));
    }
  }
  told erase(const std::string& token, const std::string& user, const json& body) {
    return api({.verb = "DELETE", .path = "/api/users/" + user, .body = body, .token = token});
  }
};

BOOST_AUTO_TEST_SUITE(privacy_routes_suite)

BOOST_FIXTURE_TEST_CASE(a_full_account_takes_no_further_guest_with_orders_whose_session_goes_on, desk) {
  const std::string user = enrolled();
  absorb(user, user::keyed_guests_max - 1);
  const told last = guest_with_key(), more = guest_with_key(), empty = guest();
  BOOST_TEST(login(last.text("token")).status == 200);
  const told refused = login(more.text("token"));
  BOOST_TEST(refused.status == 409);
  BOOST_TEST(refused.text("code") == "too_many_guests");
  BOOST_TEST(api({.verb = "GET", .path = "/api/cart", .token = more.text("token")}).status == 200);
  BOOST_TEST(!kept_key_of(more).empty());
  BOOST_TEST(login(empty.text("token")).status == 200);
  BOOST_TEST(login().status == 200);
}

BOOST_FIXTURE_TEST_CASE(every_key_of_more_than_a_hundred_guests_goes_with_their_user, desk) {
  const std::string user = enrolled();
  const told first = guest_with_key();
  BOOST_TEST(login(first.text("token")).status == 200);
  absorb(user, 150);
  BOOST_TEST(!kept_key_of(first).empty());
  BOOST_TEST(erase(api.staff_token(role::admin), user, reason).status == 204);
  BOOST_TEST(kept_key_of(first).empty());
}

BOOST_FIXTURE_TEST_CASE(a_guest_is_erased_with_the_key_and_the_session, desk) {
  const told one = guest_with_key();
  BOOST_TEST(api({.verb = "DELETE", .path = "/api/users/profile", .token = one.text("token")}).status == 204);
  BOOST_TEST(kept_key_of(one).empty());
  BOOST_TEST(api({.verb = "GET", .path = "/api/cart", .token = one.text("token")}).status == 401);
}

BOOST_FIXTURE_TEST_CASE(an_erasure_by_staff_wants_a_reason_and_another_account, desk) {
  const std::string user = enrolled(), admin = api.staff_token(role::admin);
  const std::vector<json> bad = {json::object(), {{"reason", ""}}, {{"reason", 1}}, {{"reason", std::string(301, 'x')}},
                                 {{"reason", "x"}, {"more", 1}}};
  for (const auto& body : bad) BOOST_TEST(erase(admin, user, body).status == 400, body);
  BOOST_TEST(erase(api.staff_token(role::support), user, reason).status == 403);
  BOOST_TEST(erase(admin, "nobody", reason).text("code") == "no_such_user");
  BOOST_TEST(login().status == 200);
  BOOST_TEST(erase(admin, user, reason).status == 204);
  BOOST_TEST(erase(admin, user, reason).status == 404);
  BOOST_TEST(login().status == 401);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace privacy_routes_test
}  // namespace omnicart::http
