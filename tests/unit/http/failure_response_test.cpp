#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "http/shop.hpp"

namespace omnicart::http {
namespace {

nlohmann::json told_of(error_number number, std::string detail = {}) {
  const request req;
  return nlohmann::json::parse(failure_response(error{number, std::move(detail), {}}, req).body);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(failure_response_suite)

BOOST_AUTO_TEST_CASE(every_code_explains_itself) {
  std::set<std::string> codes;
  for (error_number number = 1; number < 1'100; ++number) {
    const auto told = told_of(number);
    if (told["code"] == "internal") continue;  // no such number
    codes.insert(told["code"]);
    BOOST_TEST(told["detail"] != told["title"], told["code"]);
  }
  BOOST_TEST(codes.size() >= 50u);
}

BOOST_AUTO_TEST_CASE(what_a_rule_says_itself_comes_before_that) {
  BOOST_TEST(told_of(static_cast<error_number>(base_errc::malformed), "no such line")["detail"] == "no such line");
}

BOOST_AUTO_TEST_CASE(what_a_fault_says_is_not_for_strangers) {
  const auto told = told_of(static_cast<error_number>(base_errc::io), "/srv/shop/db/000017.sst: bad block");
  BOOST_TEST(told["detail"].get<std::string>().find("srv") == std::string::npos);
  BOOST_TEST(told["detail"] != "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace omnicart::http
