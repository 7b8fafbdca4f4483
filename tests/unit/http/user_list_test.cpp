#include "http/user_list.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "actors/user/user_kind.hpp"
#include "tests/unit/http/rows_in_memory.hpp"

namespace omnicart::http {
namespace user_list_test {

using user::user_status;

timestamp_ms at_s(std::int64_t seconds) { return timestamp_ms{std::chrono::seconds{seconds}}; }

struct listing {
  rows_in_memory rows;
  user_list list;

  void tell(const std::string& id, const user::event& what) {
    event_record record;
    record.event = user::kind::encode_event(what);
    list.apply({"user", id}, 0, record, rows);
  }
  void registered(const std::string& id, std::int64_t seconds, role as = role::shopper) {
    tell(id, user::registered{.id = user_id(id),
                              .email = id + "@unmistakable.example",
                              .password_hash = "hash",
                              .name = "Ann Unmistakable",
                              .as = as,
                              .guest_session = {},
                              .cart = cart_id(id),
                              .at = at_s(seconds),
                              .content = {}});
  }
  void enrol(const std::string& id, std::int64_t seconds, role as = role::shopper) {
    registered(id, seconds, as);
    tell(id, user::address_claimed{});
  }
  void disable(const std::string& id, bool disabled = true) { tell(id, user::disabled_set{disabled}); }
  void restore(const std::string& id, std::int64_t seconds, user_status status) {
    user::state kept;
    kept.status = status;
    kept.id = user_id(id);
    kept.email = id + "@example.com";
    kept.created_at = at_s(seconds);
    list.restore({"user", id}, user::kind::encode_state(kept), rows);
  }

  user_page page(const user_query& query) { return user_list::find(query, rows).value(); }
  // All ids, page by page.
  std::string all(user_query query = {}) {
    std::string ids;
    do {
      const auto found = page(query);
      BOOST_TEST_REQUIRE(found.users.size() <= query.limit);
      for (const auto& each : found.users) ids += each.id + ' ';
      query.cursor = found.next_cursor;
    } while (!query.cursor.empty());
    return ids;
  }
};

BOOST_FIXTURE_TEST_SUITE(user_list_suite, listing)

BOOST_AUTO_TEST_CASE(accounts_are_listed_newest_first_once_their_address_is_their_own) {
  enrol("a", 10);
  enrol("b", 30);
  registered("c", 20);
  BOOST_TEST(all() == "b a ");
  tell("c", user::address_claimed{});
  BOOST_TEST(all() == "b c a ");
  registered("d", 40);
  tell("d", user::address_refused{});
  BOOST_TEST(all() == "b c a ");
}

BOOST_AUTO_TEST_CASE(what_is_told_twice_changes_nothing) {
  for (int times = 0; times < 2; ++times) {
    enrol("a", 10);
    enrol("b", 20, role::admin);
    disable("a");
    enrol("gone", 30);
    tell("gone", user::erasure_begun{});
    tell("gone", user::address_released{});
  }
  BOOST_TEST(all() == "b a ");
  BOOST_TEST(all({.status = user_status::disabled}) == "a ");
  BOOST_TEST(all({.status = user_status::active}) == "b ");
}

BOOST_AUTO_TEST_CASE(no_row_has_a_name_or_an_address_and_none_is_left_of_who_was_erased) {
  enrol("a", 10);
  disable("a");
  for (const auto& [key, value] : rows.rows) {
    BOOST_TEST((key + value).find("nmistakable") == std::string::npos);
    BOOST_TEST((key + value).find('@') == std::string::npos);
  }
  BOOST_TEST(rows.rows.size() == 4U);
  tell("a", user::erasure_begun{});
  BOOST_TEST(rows.rows.empty());
  disable("a", false);
  tell("a", user::address_released{});
  BOOST_TEST(rows.rows.empty());
}

BOOST_AUTO_TEST_CASE(roles_statuses_and_times_narrow_the_list_alone_and_together) {
  enrol("a", 10);
  enrol("b", 20, role::support);
  enrol("c", 30, role::admin);
  enrol("d", 40, role::admin);
  enrol("e", 50);
  disable("a");
  disable("d");
  disable("e");
  disable("e", false);
  const auto from = [](std::int64_t seconds) { return std::optional(at_s(seconds)); };
  BOOST_TEST(all({.as = role::shopper}) == "e a ");
  BOOST_TEST(all({.as = role::support}) == "b ");
  BOOST_TEST(all({.as = role::admin}) == "d c ");
  BOOST_TEST(all({.status = user_status::disabled}) == "d a ");
  BOOST_TEST(all({.status = user_status::active}) == "e c b ");
  BOOST_TEST(all({.as = role::admin, .status = user_status::disabled}) == "d ");
  BOOST_TEST(all({.as = role::admin, .status = user_status::active}) == "c ");
  BOOST_TEST(all({.as = role::support, .status = user_status::disabled}) == "");
  // From then on, and before then.
  BOOST_TEST(all({.created_from = from(20)}) == "e d c b ");
  BOOST_TEST(all({.created_to = from(20)}) == "a ");
  BOOST_TEST(all({.created_from = from(20), .created_to = from(40)}) == "c b ");
  BOOST_TEST(all({.created_from = from(40), .created_to = from(20)}) == "");
  BOOST_TEST(all({.created_from = from(20), .created_to = from(20)}) == "");
  BOOST_TEST(all({.created_from = from(-5)}) == "e d c b a ");
  BOOST_TEST(all({.created_to = from(-5)}) == "");
  BOOST_TEST(all({.as = role::admin, .created_from = from(31)}) == "d ");
}

BOOST_AUTO_TEST_CASE(a_list_read_page_by_page_has_everybody_once_while_others_come_and_go) {
  std::string wanted;
  for (int i = 29; i >= 0; --i) wanted += "u" + std::to_string(i) + ' ';
  for (std::int64_t i = 0; i < 30; ++i) enrol("u" + std::to_string(i), 100 + i);
  for (const std::size_t limit : {1U, 7U, 10U, 29U, 30U, 31U}) {
    user_query query;
    query.limit = limit;
    std::string seen;
    std::int64_t round = 0;
    do {
      const auto found = page(query);
      for (const auto& each : found.users) seen += each.id + ' ';
      query.cursor = found.next_cursor;
      enrol("later" + std::to_string(limit), 1'000 + ++round);  // newer than all: before the page
    } while (!query.cursor.empty());
    BOOST_TEST(seen == wanted);
    tell("later" + std::to_string(limit), user::erasure_begun{});
  }
  // The one whom a cursor names may go.
  user_query query;
  query.limit = 3;
  const auto first = page(query);
  tell(first.users.back().id, user::erasure_begun{});
  query.cursor = first.next_cursor;
  BOOST_TEST(page(query).users.front().id == "u26");
  // Any user of a page has a cursor of their own.
  query.cursor = first.users.front().cursor;
  BOOST_TEST(page(query).users.front().id == "u28");
}

BOOST_AUTO_TEST_CASE(users_of_one_moment_are_all_there) {
  for (const char* id : {"b", "a", "c"}) enrol(id, 10);
  user_query query;
  query.limit = 1;
  BOOST_TEST(all(query) == "a b c ");
}

BOOST_AUTO_TEST_CASE(a_cursor_that_is_none_is_refused) {
  for (const char* bad : {"x", "zz", "00", "0011223344556677", "001122334455667788A"}) {
    user_query query;
    query.cursor = bad;
    const auto found = user_list::find(query, rows);
    BOOST_TEST_REQUIRE(!found.has_value(), bad);
    BOOST_TEST(found.error().is(base_errc::malformed));
  }
}

BOOST_AUTO_TEST_CASE(a_filter_that_hardly_anybody_passes_gives_short_pages_with_a_cursor) {
  enrol("old", 1, role::admin);
  disable("old");
  for (std::int64_t i = 0; i < 20'050; ++i) {
    enrol("n" + std::to_string(i), 100 + i);
    disable("n" + std::to_string(i));
  }
  const user_query query{.as = role::admin, .status = user_status::disabled};
  const auto first = page(query);
  BOOST_TEST(first.users.empty());
  BOOST_TEST_REQUIRE(!first.next_cursor.empty());
  BOOST_TEST(all(query) == "old ");
}

BOOST_AUTO_TEST_CASE(snapshots_give_who_was_there_before_the_events_that_are_kept) {
  restore("a", 10, user_status::active);
  restore("b", 20, user_status::disabled);
  restore("c", 30, user_status::registering);
  restore("d", 40, user_status::erasing);
  restore("e", 50, user_status::refused);
  BOOST_TEST(all() == "b a ");
  tell("c", user::address_claimed{});
  disable("b", false);
  BOOST_TEST(all({.status = user_status::active}) == "c b a ");
  // Over rows of an older copy.
  restore("a", 10, user_status::erasing);
  restore("b", 20, user_status::disabled);
  BOOST_TEST(all() == "c b ");
  BOOST_TEST(all({.status = user_status::disabled}) == "b ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace user_list_test
}  // namespace omnicart::http
