#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "http/leader_hint.hpp"
#include "http/shop.hpp"
#include "runtime/placement.hpp"

namespace omnicart::http {
namespace failure_response_test {

nlohmann::json told_of(error_number number, std::string detail = {}) {
  const request req;
  return nlohmann::json::parse(failure_response(error{number, std::move(detail), {}}, req).body);
}

BOOST_AUTO_TEST_SUITE(failure_response_suite)

BOOST_AUTO_TEST_CASE(every_code_explains_itself) {
  std::set<std::string> codes;
  for (error_number number = 1; number < 2'000; ++number) {
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

BOOST_AUTO_TEST_CASE(a_node_that_does_not_lead_says_who_does) {
  const request req;
  const auto told = [&](error why, std::string_view address) {
    add_leader_address(why, address);
    const auto answered = failure_response(why, req);
    BOOST_TEST(answered.headers.find("Retry-After: 1") != std::string::npos);
    BOOST_TEST(answered.status == 503);
    return nlohmann::json::parse(answered.body);
  };
  const auto whole = told(not_the_leader(2), "10.0.0.2:8080");
  BOOST_TEST(whole["leader"] == nlohmann::json::parse(R"({"node":2,"http":"10.0.0.2:8080"})"));
  BOOST_TEST(whole["code"] == "unavailable");
  BOOST_TEST(told(not_the_leader(2), "")["leader"] == nlohmann::json::parse(R"({"node":2})"));
  BOOST_TEST(!told(not_the_leader(std::nullopt), "10.0.0.2:8080").contains("leader"));
  BOOST_TEST(!told(make_error(base_errc::unavailable, "", "odd words"), "").contains("leader"));
  BOOST_TEST(!told(make_error(base_errc::overloaded, "", "7"), "h:1").contains("leader"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace failure_response_test
}  // namespace omnicart::http
