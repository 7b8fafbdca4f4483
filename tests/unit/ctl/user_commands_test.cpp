#include "shell.hpp"

// `user export` and `user erase`, against a port that is the operators' and the shop's own.
namespace omnicart::ctl {
namespace {

using testing::good_token;
using testing::has;

struct shell : testing::shell {
  shell() { sure = true; }

  // Where the shop is, and a token for it; then these answers.
  void answers(std::vector<testing::canned> more) {
    node.answers({200, R"({"http":")" + node.url().substr(7) + R"("})"});
    node.answers({200, std::string(R"({"token":")") + good_token + R"("})"});
    for (auto& each : more) node.answers(std::move(each));
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ctl_users, shell)

BOOST_AUTO_TEST_CASE(what_is_known_of_a_user_is_printed_as_json) {
  answers({{200, R"({"orders":[]})"}});
  const auto shown = (*this)({"user", "export", "u1"});
  BOOST_TEST((shown.code == exit_code::ok && has(shown.all(), "\"orders\": []")));
  BOOST_TEST(node.asked().at(2) == "GET /api/users/u1/export");
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_no_json_is_an_error) {
  for (const char* body : {"<html>a proxy's page</html>", "", R"({"orders":[)", "<html>"}) answers({{200, body}});
  for (const char* target : {"u1", "u1", "u1", "ann@x.example"}) {
    const auto shown = (*this)({"user", "export", target});
    BOOST_TEST((shown.code == exit_code::failed && has(shown.all(), "no JSON")), shown.all());
    BOOST_TEST(!has(shown.all(), "<discarded>"));
  }
}

BOOST_AUTO_TEST_CASE(an_address_is_looked_up_first) {
  answers({{200, R"({"items":[{"user_id":"u1"}]})"}, {200, "{}"}});
  BOOST_TEST(((*this)({"user", "export", "ann+1@x.example"}).code == exit_code::ok));
  BOOST_TEST(node.asked().at(2) == "GET /api/users?email=ann%2B1%40x.example");
  BOOST_TEST(node.asked().at(3) == "GET /api/users/u1/export");
}

BOOST_AUTO_TEST_CASE(an_address_of_nobody_ends_with_1) {
  answers({{200, R"({"items":[]})"}});
  const auto shown = (*this)({"user", "erase", "ann@x.example", "--reason", "x", "--yes"});
  BOOST_TEST((shown.code == exit_code::failed && has(shown.all(), "no account with this address")));
}

BOOST_AUTO_TEST_CASE(an_erasure_is_asked_about_and_says_who_and_why) {
  answers({{204, ""}});
  sure = false;
  BOOST_TEST(((*this)({"user", "erase", "u1", "--reason", "by letter"}).code == exit_code::failed));
  BOOST_TEST(has(asked_person, "Erase user u1 for good?"));
  BOOST_TEST(node.asked().empty());
  sure = true;
  const auto done = (*this)({"user", "erase", "u1", "--reason", "by letter", "--who", "sue@desk"});
  BOOST_TEST((done.code == exit_code::ok && has(done.all(), "erased user u1")), done.all());
  BOOST_TEST(node.asked().at(2) == R"(DELETE /api/users/u1 {"reason":"sue@desk: by letter"})");
}

BOOST_AUTO_TEST_CASE(a_guest_is_erased_by_an_order) {
  answers({{409, R"({"code":"not_a_guests_order","detail":"the order is that of a user: u1"})"}});
  const auto done = (*this)({"user", "erase", "--order", "o/1", "--reason", "x", "--who", "a", "--yes"});
  BOOST_TEST((done.code == exit_code::failed && has(done.all(), "that of a user: u1")));
  BOOST_TEST(asked_person.empty());
  BOOST_TEST(node.asked().at(2) == R"(DELETE /api/orders/o%2F1/guest {"reason":"a: x"})");
}

BOOST_AUTO_TEST_CASE(who_is_asked_about_a_guest_hears_that_an_account_may_lose_the_orders) {
  sure = false;
  BOOST_TEST(((*this)({"user", "erase", "--order", "o1", "--reason", "x"}).code == exit_code::failed));
  BOOST_TEST(has(asked_person, "Erase the guest who placed order o1 for good?"));
  BOOST_TEST(has(asked_person, "An account that they signed in to"));
  BOOST_TEST(((*this)({"user", "erase", "u1", "--reason", "x"}).code == exit_code::failed));
  BOOST_TEST(!has(asked_person, "An account"));
}

BOOST_AUTO_TEST_CASE(who_is_meant_and_why_are_wanted) {
  for (const auto& wrong : std::vector<std::vector<std::string>>{{"user", "erase", "u1"},
                                                                 {"user", "erase", "--reason", "x"},
                                                                 {"user", "erase", "u1", "--order", "o1", "--reason", "x"},
                                                                 {"user", "export"}})
    BOOST_TEST(((*this)(wrong).code == exit_code::usage), wrong.back());
  BOOST_TEST(node.asked().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace omnicart::ctl
