#include <set>

#include "tests/unit/http/rows_in_memory.hpp"
#include "actors/user/user_kind.hpp"
#include "tests/unit/http/tiny_shop.hpp"

namespace omnicart::http {
namespace user_search_test {

using nlohmann::json;
using trial::told;

// Users of a shop whose list is told of each at once.
struct office {
  office() { api.users.attach(lists); }

  // Their id. Each is a second younger than the one before.
  std::string enrol(const std::string& email, const std::string& name, bool listed = true) {
    const std::string id = "u" + std::to_string(++last);
    user::register_user what;
    what.id = user_id(id);
    what.email = email;
    what.password_hash = "hash";
    what.name = name;
    command(id, what);
    if (!listed) return id;
    tell(id, user::registered{.id = user_id(id),
                              .email = email,
                              .password_hash = "hash",
                              .name = name,
                              .as = role::shopper,
                              .guest_session = {},
                              .cart = cart_id(id),
                              .at = timestamp_ms{std::chrono::seconds{1'000 + last}},
                              .content = {}});
    tell(id, user::address_claimed{});
    return id;
  }
  void command(const std::string& id, const user::command& what) {
    caller engine;
    engine.as = role::system;
    envelope message = make_envelope(api.in, {"user", id}, user::encode(what), engine);
    message.reply = [](const answer& got) { BOOST_TEST_REQUIRE(got.ok()); };
    api.entities.send(std::move(message));
  }
  void tell(const std::string& id, const user::event& what) {
    event_record record;
    record.event = user::kind::encode_event(what);
    api.users.apply({"user", id}, 0, record, rows);
  }

  told get(const std::string& query, role as = role::admin) {
    return api({.verb = "GET", .path = "/api/users?" + query, .token = api.staff_token(as)});
  }
  static std::string ids(const told& page) {
    std::string all;
    for (const auto& each : page.body["items"]) all += each["user_id"].get<std::string>() + ' ';
    return all;
  }
  static std::string cursor(const told& page) {
    return page.body["next_cursor"].is_null() ? "" : page.body["next_cursor"].get<std::string>();
  }
  // What each request gave, with its cursor to the next.
  std::vector<std::string> walk(const std::string& query) {
    std::vector<std::string> pages;
    std::string next;
    do {
      const told page = get(query + (next.empty() ? "" : "&cursor=" + next));
      BOOST_TEST_REQUIRE(page.status == 200);
      pages.push_back(ids(page));
      next = cursor(page);
    } while (!next.empty());
    return pages;
  }

  rows_in_memory rows;
  host_at_once lists{rows};
  trial::tiny_shop api;
  std::int64_t last = 0;
};

using pages = std::vector<std::string>;

BOOST_FIXTURE_TEST_SUITE(user_search_suite, office)

BOOST_AUTO_TEST_CASE(a_part_of_the_address_or_the_name_finds_whatever_the_case_and_accents) {
  enrol("Ann.Barker@Example.com", "Ann Barker");
  enrol("bob@shop.example", "Bob B\xC3\xA4rker");  // "Bärker"
  enrol("cy@example.com", "");
  for (const auto& [part, found] : {std::pair{"barker", "u2 u1 "},
                                    {"BARK", "u2 u1 "},
                                    {"b\xC3\x84rk", "u2 u1 "},
                                    {"@example.COM", "u3 u1 "},
                                    {"ann.b", "u1 "},
                                    {"ann b", "u1 "},
                                    {"y@e", "u3 "},
                                    {"", "u3 u2 u1 "},
                                    {"dora", ""}}) {
    BOOST_TEST(ids(get("q=" + std::string(part))) == found, part);
  }
}

BOOST_AUTO_TEST_CASE(the_whole_address_is_looked_for_without_the_list_and_alone) {
  const std::string id = enrol("ann@example.com", "Ann", false);
  BOOST_TEST(ids(get("email=ANN@example.com")) == id + ' ');
  BOOST_TEST(ids(get("email=ann@example.co")) == "");
  BOOST_TEST(get("email=ann@example.com").body["next_cursor"].is_null());
  for (const char* more : {"limit=5", "q=a", "cursor=00", "role=shopper", "status=active"})
    BOOST_TEST(get("email=ann@example.com&" + std::string(more)).status == 400, more);
  BOOST_TEST(lists.asked == 0);
}

BOOST_AUTO_TEST_CASE(a_request_asks_so_many_users_only_and_says_where_to_go_on) {
  enrol("needle@example.com", "Old");
  for (int i = 0; i < 1'100; ++i) enrol("n" + std::to_string(i) + "@example.com", "Hay");
  enrol("young@example.com", "Needle");
  // 1,102 users, 500 per request.
  BOOST_TEST(walk("q=needle") == (pages{"u1102 ", "", "u1 "}));
  BOOST_TEST(walk("q=needle&limit=1") == (pages{"u1102 ", "", "", "u1 "}));
}

BOOST_AUTO_TEST_CASE(pages_of_what_is_found_have_each_once) {
  for (int i = 0; i < 250; ++i) enrol(std::to_string(i) + "@example.com", i % 3 == 0 ? "Ann" : "Bob");
  std::set<std::string> seen;
  std::size_t count = 0;
  for (const auto& page : walk("q=ann&limit=7")) {
    std::istringstream each(page);
    for (std::string id; each >> id; ++count) seen.insert(id);
    BOOST_TEST(std::count(page.begin(), page.end(), ' ') <= 7);
  }
  BOOST_TEST(count == 84U);
  BOOST_TEST(seen.size() == 84U);
  // The last page is full and the list at its end: no empty one behind it.
  BOOST_TEST(walk("limit=50").size() == 5U);
  BOOST_TEST(walk("q=@example.com&limit=50").size() == 5U);
}

BOOST_AUTO_TEST_CASE(whoever_does_not_exist_any_more_is_left_out_and_the_page_filled_up) {
  for (int i = 0; i < 5; ++i) enrol(std::to_string(i) + "@example.com", "Ann");
  // The list has not heard of it.
  command("u4", user::erase{});
  command("u3", user::set_disabled{});
  BOOST_TEST(walk("limit=2") == (pages{"u5 u3 ", "u2 u1 "}));
  BOOST_TEST(walk("q=ann&limit=2") == (pages{"u5 u3 ", "u2 u1 "}));
  BOOST_TEST(walk("status=active") == (pages{"u5 u2 u1 "}));
}

BOOST_AUTO_TEST_CASE(bad_queries_are_refused_member_by_member) {
  for (const auto& [query, code] : {std::pair{"limit=0", "invalid_query"},
                                    {"limit=101", "invalid_query"},
                                    {"role=system", "invalid_query"},
                                    {"status=erasing", "invalid_query"},
                                    {"created_from=yesterday", "invalid_query"},
                                    {"created_to=2026-13-01T00:00:00Z", "invalid_query"},
                                    {"colour=red", "invalid_query"},
                                    {"q=a&q=b", "invalid_query"},
                                    {"cursor=nonsense", "malformed"}}) {
    const told got = get(query);
    BOOST_TEST(got.status == 400, query);
    BOOST_TEST(got.text("code") == code, query);
  }
  BOOST_TEST(get("q=" + std::string(201, 'a')).text("code") == "invalid_query");
  BOOST_TEST(get("q=a", role::support).status == 403);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace user_search_test
}  // namespace omnicart::http
