#include "tests/unit/http/tiny_shop.hpp"

namespace omnicart::http {
namespace people_routes_test {

using nlohmann::json;
using trial::told;

const json ann = {{"email", "Ann@Example.com"}, {"password", "correct horse"}, {"name", "Ann"}};
const json ann_in = {{"email", "ann@example.COM"}, {"password", "correct horse"}};
const std::string key_a = "5f1c2b9e-0000-4000-8000-00000000000a";
const std::string key_b = "5f1c2b9e-0000-4000-8000-00000000000b";

struct people {
  trial::tiny_shop api;

  told guest(const std::string& key = "") {
    return api({.verb = "POST", .path = "/api/sessions", .body = json::object(), .key = key});
  }
  told enrol(const std::string& token = "", const std::string& key = "") {
    return api(
        {.verb = "POST", .path = "/api/users/register", .body = ann, .token = token, .key = key});
  }
  told login(const json& as = ann_in, const std::string& token = "", const std::string& key = "") {
    return api(
        {.verb = "POST", .path = "/api/users/login", .body = as, .token = token, .key = key});
  }
  told refresh(const std::string& token) {
    return api({.verb = "POST", .path = "/api/users/refresh", .body = {{"refresh_token", token}}});
  }
  told profile(const std::string& token) {
    return api({.verb = "GET", .path = "/api/users/profile", .token = token});
  }
  told put_profile(const std::string& token, const json& body, const std::string& key = "") {
    return api(
        {.verb = "PUT", .path = "/api/users/profile", .body = body, .token = token, .key = key});
  }
  std::size_t sessions(const std::string& token) {
    return api({.verb = "GET", .path = "/api/sessions", .token = token}).body["items"].size();
  }
};

BOOST_AUTO_TEST_SUITE(people_routes_suite)

BOOST_FIXTURE_TEST_CASE(a_guest_session_comes_with_tokens_and_a_cart, people) {
  const told made = guest();
  BOOST_TEST(made.status == 201);
  for (const char* name : {"session_id", "token", "refresh_token", "expires_at"})
    BOOST_TEST(made.text(name) != "", name);
  BOOST_TEST(made.text("cart_id") == made.text("session_id"));
  BOOST_TEST(!made.has_header("Set-Cookie"));
  BOOST_TEST(sessions(made.text("token")) == 1U);
}

BOOST_FIXTURE_TEST_CASE(
    a_long_anonymous_key_gives_the_same_session_again_and_a_short_one_means_nothing, people) {
  const told first = guest(key_a);
  const told again = guest(key_a);
  BOOST_TEST(again.text("session_id") == first.text("session_id"));
  BOOST_TEST(again.text("refresh_token") == first.text("refresh_token"));
  BOOST_TEST(again.has_header("Idempotent-Replayed: true"));
  BOOST_TEST(!first.has_header("Idempotent-Replayed"));
  BOOST_TEST(guest(key_b).text("session_id") != first.text("session_id"));
  BOOST_TEST(guest("1").text("session_id") != guest("1").text("session_id"));
  const told elsewhere = api({.verb = "POST",
                              .path = "/api/sessions",
                              .body = json::object(),
                              .key = key_a,
                              .peer = "198.51.100.1"});
  BOOST_TEST(elsewhere.text("session_id") != first.text("session_id"));
  const told other =
      api({.verb = "POST", .path = "/api/sessions", .body = {{"cookie", true}}, .key = key_a});
  BOOST_TEST(other.status == 422);
}

BOOST_FIXTURE_TEST_CASE(a_key_never_gives_out_a_session_that_became_a_users_or_is_in_use, people) {
  const told first = guest(key_a);
  BOOST_TEST(refresh(first.text("refresh_token")).status == 200);
  BOOST_TEST(guest(key_a).status == 409);
  const told second = guest(key_b);
  BOOST_TEST(enrol(second.text("token")).status == 201);
  const told replay = guest(key_b);
  BOOST_TEST(replay.status == 409);
  BOOST_TEST(replay.text("token") == "");
}

BOOST_FIXTURE_TEST_CASE(a_cookie_is_set_only_for_those_who_ask, people) {
  const told made = api({.verb = "POST", .path = "/api/sessions", .body = {{"cookie", true}}});
  BOOST_TEST(made.has_header("Set-Cookie: omnicart_session=" + made.text("token") +
                             "; HttpOnly; SameSite=Strict; Path=/; Max-Age=300\r\n"));
  const told out = api({.verb = "POST", .path = "/api/users/logout", .token = made.text("token")});
  BOOST_TEST(out.status == 204);
  BOOST_TEST(out.has_header(
      "Set-Cookie: omnicart_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0\r\n"));
  BOOST_TEST(profile(made.text("token")).status == 401);
}

BOOST_FIXTURE_TEST_CASE(a_guest_who_registers_keeps_session_and_cart, people) {
  const told visit = guest();
  const told made = enrol(visit.text("token"), key_a);
  BOOST_TEST(made.status == 201);
  BOOST_TEST(made.text("email") == "Ann@Example.com");
  BOOST_TEST(made.text("role") == "shopper");
  BOOST_TEST(made.text("cart_id") == visit.text("cart_id"));
  BOOST_TEST(made.body.dump().find("password") == std::string::npos);
  BOOST_TEST(made.body.dump().find("argon") == std::string::npos);
  BOOST_TEST(profile(visit.text("token")).text("user_id") == made.text("user_id"));
  const told again = enrol(visit.text("token"), key_a);
  BOOST_TEST(again.status == 201);
  BOOST_TEST(again.text("user_id") == made.text("user_id"));
  BOOST_TEST(again.has_header("Idempotent-Replayed"));
}

BOOST_FIXTURE_TEST_CASE(an_address_is_taken_whatever_its_case, people) {
  BOOST_TEST(enrol().status == 201);
  json upper = ann;
  upper["email"] = "ANN@EXAMPLE.COM";
  const told second = api({.verb = "POST", .path = "/api/users/register", .body = upper});
  BOOST_TEST(second.status == 409);
  BOOST_TEST(second.text("code") == "email_taken");
}

BOOST_FIXTURE_TEST_CASE(a_registrations_key_with_another_password_or_body_is_refused, people) {
  BOOST_TEST(enrol("", key_a).status == 201);
  json other = ann;
  other["password"] = "something else";
  BOOST_TEST(
      api({.verb = "POST", .path = "/api/users/register", .body = other, .key = key_a}).status ==
      422);
  other = ann;
  other["name"] = "Bob";
  BOOST_TEST(
      api({.verb = "POST", .path = "/api/users/register", .body = other, .key = key_a}).status ==
      422);
  BOOST_TEST(enrol("", key_a).status == 201);
}

BOOST_FIXTURE_TEST_CASE(bad_registrations_are_refused_naming_the_member, people) {
  const struct {
    const char* member;
    json value;
  } rows[] = {{"email", "no-at-sign"},
              {"email", ""},
              {"email", std::string(255, 'a') + "@b"},
              {"password", "7 bytes"},
              {"password", std::string(1'001, 'p')},
              {"name", std::string(201, 'n')},
              {"role", "admin"}};
  for (const auto& row : rows) {
    json body = ann;
    body[row.member] = row.value;
    const told got = api({.verb = "POST", .path = "/api/users/register", .body = body});
    BOOST_TEST(got.status == 400, row.member << '=' << row.value);
    BOOST_TEST(got.body["errors"][0]["pointer"] == std::string("/") + row.member);
    BOOST_TEST(got.body.dump().find("ppppp") == std::string::npos);
  }
}

BOOST_FIXTURE_TEST_CASE(a_login_gives_tokens_that_work, people) {
  enrol();
  const told in = login();
  BOOST_TEST(in.status == 200);
  BOOST_TEST(in.body["user"]["name"] == "Ann");
  BOOST_TEST(profile(in.text("token")).text("email") == "Ann@Example.com");
  BOOST_TEST(login().text("session_id") != in.text("session_id"));
  BOOST_TEST(sessions(in.text("token")) == 2U);
}

BOOST_FIXTURE_TEST_CASE(unknown_addresses_and_wrong_passwords_are_answered_alike, people) {
  enrol();
  const told wrong = login({{"email", "ann@example.com"}, {"password", "wrong"}});
  const told unknown = login({{"email", "bob@example.com"}, {"password", "wrong"}});
  BOOST_TEST(wrong.status == 401);
  BOOST_TEST(wrong.text("code") == "bad_credentials");
  BOOST_TEST(unknown.status == wrong.status);
  BOOST_TEST(unknown.body.dump() == wrong.body.dump());
  BOOST_TEST(unknown.headers == wrong.headers);
}

BOOST_FIXTURE_TEST_CASE(wrong_passwords_slow_known_and_unknown_accounts_alike, people) {
  enrol();
  for (const char* email : {"ann@example.com", "bob@example.com"}) {
    for (int i = 0; i < 5; ++i)
      BOOST_TEST(login({{"email", email}, {"password", "wrong"}}).status == 401);
    const told slowed = login({{"email", email}, {"password", "correct horse"}});
    BOOST_TEST(slowed.status == 429);
    BOOST_TEST(slowed.text("code") == "sign_in_slowed");
    BOOST_TEST(slowed.has_header("Retry-After: 1\r\n"));
  }
  api.time.pass(duration_ms{1'000});
  BOOST_TEST(login().status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_login_takes_the_guest_over_once_even_if_repeated, people) {
  enrol();
  const told visit = guest();
  const told in = login(ann_in, visit.text("token"), key_a);
  BOOST_TEST(in.status == 200);
  BOOST_TEST(in.text("cart_id") != visit.text("cart_id"));
  BOOST_TEST(api({.verb = "GET", .path = "/api/sessions", .token = visit.text("token")}).status ==
             401);
  const told again = login(ann_in, visit.text("token"), key_a);
  BOOST_TEST(again.status == 200);
  BOOST_TEST(again.text("session_id") == in.text("session_id"));
  BOOST_TEST(again.has_header("Idempotent-Replayed"));
  BOOST_TEST(login(ann_in, visit.text("token")).status ==
             200);  // without a key: another session, nothing to take
}

BOOST_FIXTURE_TEST_CASE(a_disabled_account_is_told_only_to_who_knows_its_password, people) {
  const told made = enrol();
  const told in = login();
  const std::string path = "/api/users/" + made.text("user_id") + "/status";
  const json disabled = {{"status", "disabled"}};
  BOOST_TEST(
      api({.verb = "PUT", .path = path, .body = disabled, .token = in.text("token")}).status ==
      403);
  BOOST_TEST(
      api({.verb = "PUT", .path = path, .body = disabled, .token = api.staff_token(role::support)})
          .status == 403);
  const told done =
      api({.verb = "PUT", .path = path, .body = disabled, .token = api.staff_token(role::admin)});
  BOOST_TEST(done.status == 200);
  BOOST_TEST(done.text("status") == "disabled");
  BOOST_TEST(profile(in.text("token")).status == 401);
  BOOST_TEST(refresh(in.text("refresh_token")).status == 401);
  BOOST_TEST(login().text("code") == "disabled");
  BOOST_TEST(login({{"email", "ann@example.com"}, {"password", "wrong"}}).status == 401);
  BOOST_TEST(api({.verb = "PUT",
                  .path = path,
                  .body = {{"status", "active"}},
                  .token = api.staff_token(role::admin)})
                 .status == 200);
  BOOST_TEST(login().status == 200);
}

BOOST_FIXTURE_TEST_CASE(refresh_tokens_rotate_and_a_spent_one_is_forgiven_for_a_while_only,
                        people) {
  const told made = guest();
  const std::string first = made.text("refresh_token");
  const told second = refresh(first);
  BOOST_TEST(second.status == 200);
  BOOST_TEST(second.text("refresh_token") != first);
  const told lost = refresh(first);  // the answer was lost
  BOOST_TEST(lost.text("refresh_token") == second.text("refresh_token"));
  const told third = refresh(second.text("refresh_token"));
  BOOST_TEST(third.status == 200);
  BOOST_TEST(refresh(first).status == 401);  // stolen: the family ends
  BOOST_TEST(refresh(third.text("refresh_token")).status == 401);
  BOOST_TEST(api({.verb = "GET", .path = "/api/sessions", .token = made.text("token")}).status ==
             401);
  for (const char* bad : {"x", "a.0.b", "s.1."}) BOOST_TEST(refresh(bad).status == 401);
}

BOOST_FIXTURE_TEST_CASE(a_refresh_during_which_the_keys_are_distrusted_gives_nothing_of_the_new, people) {
  token_keys fresh;
  fresh.access.fill(7);
  fresh.refresh.fill(8);
  const token_keyring next{.signing = fresh, .believed = {}};
  const told made = guest();
  int asked = 0;
  api.entities.unreachable = [&](const entity_ref& to) {
    if (to.kind == "session" && ++asked == 2) api.tokens.use(next);  // with the refresh itself under way
    return false;
  };
  const told late = refresh(made.text("refresh_token"));
  BOOST_TEST(asked == 2);
  BOOST_TEST(late.status == 401);
  BOOST_TEST(late.text("code") == "bad_refresh_token");
  BOOST_TEST(late.text("token") == "");
  BOOST_TEST(refresh(made.text("refresh_token")).status == 401);
  BOOST_TEST(api({.verb = "GET", .path = "/api/sessions", .token = made.text("token")}).status ==
             401);
  BOOST_TEST(refresh(guest().text("refresh_token")).status == 200);
}

BOOST_FIXTURE_TEST_CASE(an_access_token_lasts_five_minutes, people) {
  const told made = guest();
  api.time.pass(duration_ms{299'000});
  BOOST_TEST(sessions(made.text("token")) == 1U);
  api.time.pass(duration_ms{1'000});
  BOOST_TEST(api({.verb = "GET", .path = "/api/sessions", .token = made.text("token")}).status ==
             401);
  BOOST_TEST(sessions(refresh(made.text("refresh_token")).text("token")) == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_session_is_revoked_by_its_owner_and_not_by_strangers, people) {
  enrol();
  const told one = login();
  const told two = login();
  const told stranger = guest();
  const std::string path = "/api/sessions/" + one.text("session_id");
  BOOST_TEST(api({.verb = "DELETE", .path = path, .token = stranger.text("token")}).status == 404);
  BOOST_TEST(api({.verb = "DELETE", .path = path, .token = two.text("token")}).status == 204);
  BOOST_TEST(profile(one.text("token")).status == 401);
  BOOST_TEST(sessions(two.text("token")) == 1U);
  const std::string mine = "/api/sessions/" + two.text("session_id");
  BOOST_TEST(
      api({.verb = "DELETE", .path = mine, .token = api.staff_token(role::support)}).status == 204);
  BOOST_TEST(profile(two.text("token")).status == 401);
}

BOOST_FIXTURE_TEST_CASE(a_profile_keeps_what_a_change_leaves_out, people) {
  enrol();
  const std::string token = login().text("token");
  const json home = {{"name", "Ann"},
                     {"line1", "1 High St"},
                     {"city", "Leeds"},
                     {"postal_code", "LS1"},
                     {"country", "GB"}};
  BOOST_TEST(
      put_profile(
          token, {{"phone", "+44 1"}, {"addresses", {home}}, {"notifications", {{"orders", true}}}})
          .status == 200);
  const told now = put_profile(token, {{"name", "Ann B"}});
  BOOST_TEST(now.text("name") == "Ann B");
  BOOST_TEST(now.text("phone") == "+44 1");
  BOOST_TEST(now.body["addresses"][0]["city"] == "Leeds");
  BOOST_TEST(now.body["notifications"]["orders"] == true);
  BOOST_TEST(put_profile(token, {{"email", "x@y"}}).status == 400);
  const told bad = put_profile(token, {{"phone", "tab\there"}});
  BOOST_TEST(bad.status == 422);
  BOOST_TEST(bad.body["errors"][0]["pointer"] == "/phone");
  BOOST_TEST(profile(guest().text("token")).status == 403);
}

BOOST_FIXTURE_TEST_CASE(a_password_changes_for_who_knows_the_old_one_and_ends_other_sessions,
                        people) {
  enrol();
  const told one = login();
  const told two = login();
  const std::string token = one.text("token");
  BOOST_TEST(put_profile(token, {{"new_password", "battery staple"}}).status == 400);
  BOOST_TEST(put_profile(token, {{"current_password", "wrong"}, {"new_password", "battery staple"}})
                 .status == 403);
  BOOST_TEST(login().status == 200);
  const json change = {
      {"current_password", "correct horse"}, {"new_password", "battery staple"}, {"name", "A"}};
  BOOST_TEST(put_profile(token, change, key_a).status == 200);
  const told again = put_profile(token, change, key_a);
  BOOST_TEST(again.status == 200);
  BOOST_TEST(again.has_header("Idempotent-Replayed"));
  BOOST_TEST(put_profile(token, change).status == 403);
  BOOST_TEST(login().status == 401);
  BOOST_TEST(login({{"email", "ann@example.com"}, {"password", "battery staple"}}).status == 200);
  BOOST_TEST(profile(token).status == 200);
  BOOST_TEST(profile(two.text("token")).status == 401);
}

BOOST_FIXTURE_TEST_CASE(admins_find_users_by_address, people) {
  const std::string id = enrol().text("user_id");
  const auto find = [&](const std::string& query, role as) {
    return api({.verb = "GET", .path = "/api/users" + query, .token = api.staff_token(as)});
  };
  BOOST_TEST(find("?email=ANN@example.com", role::admin).body["items"][0]["user_id"] == id);
  BOOST_TEST(find("?email=bob@example.com", role::admin).body["items"].empty());
  BOOST_TEST(find("?email=ann@example.com&q=ann", role::admin).status == 400);
  BOOST_TEST(find("?email=ann@example.com", role::support).status == 403);
}

BOOST_AUTO_TEST_CASE(calls_beyond_the_rate_of_their_class_are_answered_429) {
  trial::tiny_shop api(
      {.enabled = true, .read = {1, 3}, .write = {1, 2}, .checkout = {1, 1}, .login = {1, 1}});
  const auto statuses = [&](const trial::call& what, int count) {
    std::vector<int> got;
    for (int i = 0; i < count; ++i) got.push_back(api(what).status);
    return got;
  };
  BOOST_TEST(
      (statuses({.verb = "POST", .path = "/api/sessions"}, 3) == std::vector<int>{201, 201, 429}));
  BOOST_TEST((statuses({.verb = "POST", .path = "/api/users/login", .body = ann_in}, 2) ==
              std::vector<int>{401, 429}));
  BOOST_TEST((statuses({.verb = "POST", .path = "/api/orders"}, 2) == std::vector<int>{401, 429}));
  BOOST_TEST((statuses({.verb = "GET", .path = "/api/sessions"}, 4) ==
              std::vector<int>{401, 401, 401, 429}));
  BOOST_TEST((statuses({.verb = "GET", .path = "/health/live"}, 2) == std::vector<int>{200, 200}));
  const told refused = api({.verb = "POST", .path = "/api/sessions"});
  BOOST_TEST(refused.text("code") == "rate_limited");
  for (const char* line : {"Retry-After: 1\r\n", "RateLimit-Limit: 2\r\n",
                           "RateLimit-Remaining: 0\r\n", "RateLimit-Reset: 2\r\n"}) {
    BOOST_TEST(refused.has_header(line), line);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace people_routes_test
}  // namespace omnicart::http
