#include "http/access_table.hpp"

#include <boost/test/unit_test.hpp>
#include <set>

#include "tests/unit/http/tiny_shop.hpp"

namespace omnicart::http {
namespace access_table_test {

std::string name_of(method verb, std::string_view pattern) {
  return std::string(to_string(verb)) + ' ' + std::string(pattern);
}

// Operators and load balancers ask these, with and without a shop behind them.
bool is_behind_the_door(std::string_view pattern) { return !pattern.starts_with("/health"); }

BOOST_AUTO_TEST_SUITE(access_table)

BOOST_AUTO_TEST_CASE(every_route_has_one_row_and_every_row_a_route) {
  trial::tiny_shop api;
  std::set<std::string> served, known;
  for (const route* one : api.routes.routes()) {
    if (is_behind_the_door(one->pattern)) served.insert(name_of(one->verb, one->pattern));
  }
  for (const auto& row : access_rules()) {
    BOOST_TEST(known.insert(name_of(row.verb, row.pattern)).second, row.pattern);
  }
  for (const auto& each : served) BOOST_TEST(known.contains(each), each + " has no row");
  for (const auto& each : known) BOOST_TEST(served.contains(each), each + " is not served");
}

BOOST_AUTO_TEST_CASE(a_higher_role_reaches_no_less_than_a_lower_one) {
  for (const auto& row : access_rules()) {
    for (std::size_t i = 1; i < audience_count; ++i) {
      BOOST_TEST((row.of[i] >= row.of[i - 1]), name_of(row.verb, row.pattern));
    }
  }
}

BOOST_AUTO_TEST_CASE(callers_are_told_apart_by_role_and_session) {
  const auto of = [](role as, const char* session) {
    caller who;
    who.as = as;
    who.session = session;
    return audience_of(who);
  };
  BOOST_TEST((of(role::guest, "") == audience::anonymous));
  BOOST_TEST((of(role::guest, "s") == audience::guest));
  BOOST_TEST((of(role::shopper, "s") == audience::shopper));
  BOOST_TEST((of(role::support, "") == audience::support));
  BOOST_TEST((of(role::admin, "") == audience::admin));
}

BOOST_AUTO_TEST_CASE(reads_and_changes_have_scopes_of_their_own) {
  BOOST_TEST(find_access(method::get, "/api/orders")->scope() == "orders:read");
  BOOST_TEST(find_access(method::head, "/api/orders")->scope() == "orders:read");
  BOOST_TEST(find_access(method::post, "/api/orders")->scope() == "orders:write");
  BOOST_TEST(find_access(method::post, "/api/nothing") == nullptr);
}

BOOST_AUTO_TEST_CASE(staff_who_may_set_a_price_are_written_down) {
  for (const char* path : {"/api/cart/items", "/api/cart/{user_id}/items", "/api/carts/{cart_id}/items", "/api/orders"}) {
    BOOST_TEST(find_access(method::post, path)->audited, path);
  }
}

BOOST_AUTO_TEST_CASE(what_the_table_forbids_no_handler_sees) {
  trial::tiny_shop api;
  const std::string guest = api({.verb = "POST", .path = "/api/sessions"}).text("token");
  for (const auto& row : access_rules()) {
    std::string path(row.pattern);
    for (auto at = path.find('{'); at != path.npos; at = path.find('{'))
      path.replace(at, path.find('}') - at + 1, "x");
    const std::string verb(to_string(row.verb));
    BOOST_TEST_CONTEXT(verb << ' ' << path) {
      // A body that no handler takes: whoever got to one would hear of that instead.
      if (row.of[0] == reach::none)
        BOOST_TEST(api({.verb = verb, .path = path, .body = {{"?", 1}}}).status == 401);
      if (row.of[1] == reach::none) {
        const auto got = api({.verb = verb, .path = path, .body = {{"?", 1}}, .token = guest});
        BOOST_TEST(got.status == 403);
        BOOST_TEST(got.text("code") == "forbidden");
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace access_table_test
}  // namespace omnicart::http
