#include "http/payment_wire.hpp"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace omnicart::http {
namespace payment_wire_test {

using payment::charge_status;
using payment::errc;

const currency_code gbp = *currency_code::parse("GBP");
const payment::charge charge{order_id("k"), {5, gbp}, {payment::method_type::card, "tok_ok"}};
const payment::void_charge void_it{order_id("k")};
const payment::refund refund{order_id("k"), "r", {3, gbp}};

BOOST_AUTO_TEST_SUITE(payment_wire)

BOOST_AUTO_TEST_CASE(commands_go_out_as_the_provider_expects_them) {
  BOOST_TEST(to_wire(charge).target == "/charges");
  BOOST_TEST(to_wire(charge).body ==
             R"({"key":"k","amount":5,"currency":"GBP","method":"card","token":"tok_ok"})");
  BOOST_TEST(to_wire(payment::void_charge{order_id("a/b c")}).target == "/charges/a%2Fb%20c/void");
  BOOST_TEST(to_wire(void_it).body == "");
  BOOST_TEST(to_wire(refund).target == "/charges/k/refunds");
  BOOST_TEST(to_wire(refund).body == R"({"refund_key":"r","amount":3,"currency":"GBP"})");
}

BOOST_AUTO_TEST_CASE(a_token_of_any_bytes_stays_inside_its_string) {
  auto odd = charge;
  odd.how.token = "a\"b\\\n\xff";
  BOOST_TEST(to_wire(odd).body.ends_with("\"token\":\"a\\\"b\\\\\\n\xef\xbf\xbd\"}"));
}

BOOST_AUTO_TEST_CASE(definite_answers_are_understood) {
  struct row {
    payment::command asked;
    std::string body;
    payment::charge_result expected;
  };
  const std::vector<row> rows{
      {charge,
       R"({"key":"k","status":"captured","amount":5,"currency":"GBP","last4":"4242","decline_code":""})",
       {charge_status::captured, "", "4242"}},
      {charge,
       R"( {"status":"declined","key":"k","decline_code":"x","currency":"GBP","last4":"","amount":5} )",
       {charge_status::declined, "x", ""}},
      {void_it, R"({"key":"k","status":"voided"})", {charge_status::voided, "", ""}},
      {refund,
       R"({"key":"k","refund_key":"r","status":"refunded","amount":3,"currency":"GBP"})",
       {charge_status::refunded, "", ""}},
  };
  for (const auto& r : rows) {
    const auto said = from_wire(r.asked, 200, r.body);
    BOOST_TEST_REQUIRE(said.has_value(), r.body);
    BOOST_TEST((*said == r.expected), r.body);
  }
}

BOOST_AUTO_TEST_CASE(refusals_are_understood_where_they_belong) {
  struct row {
    payment::command asked;
    unsigned status;
    const char* name;
    errc expected;
  };
  const std::vector<row> rows{
      {charge, 409, "key_reused", errc::key_reused},
      {charge, 409, "voided", errc::voided},
      {charge, 422, "unknown_method", errc::unknown_method},
      {void_it, 409, "captured", errc::captured},
      {refund, 409, "key_reused", errc::key_reused},
      {refund, 409, "not_captured", errc::not_captured},
      {refund, 409, "over_refund", errc::over_refund},
  };
  for (const auto& r : rows) {
    const auto body = R"({"key":"k","error":")" + std::string(r.name) + "\"}";
    BOOST_TEST(from_wire(r.asked, r.status, body).error().is(r.expected), body);
    BOOST_TEST(from_wire(r.asked, r.status == 409 ? 422 : 409, body).error().is(base_errc::timeout),
               body);
  }
  BOOST_TEST(from_wire(charge, 400, R"({"error":"malformed","detail":"d"})")
                 .error()
                 .is(base_errc::malformed));
  BOOST_TEST(from_wire(charge, 503, "").error().is(base_errc::unavailable));
}

BOOST_AUTO_TEST_CASE(anything_else_says_nothing_about_what_happened) {
  const std::string good =
      R"({"key":"k","status":"captured","amount":5,"currency":"GBP","last4":"4242","decline_code":""})";
  struct row {
    payment::command asked;
    unsigned status;
    std::string body;
  };
  const std::vector<row> rows{
      {charge, 200, ""},
      {charge, 200, good + good},
      {charge, 200, "[" + good + "]"},
      {charge, 200, good.substr(0, good.size() - 1)},
      {charge, 201, good},
      {charge, 500, good},
      {charge, 404, R"({"error":"not_found","detail":"d"})"},
      {charge, 200,
       R"({"key":"other","status":"captured","amount":5,"currency":"GBP","last4":"4242","decline_code":""})"},
      {charge, 200,
       R"({"key":"k","status":"captured","amount":6,"currency":"GBP","last4":"4242","decline_code":""})"},
      {charge, 200,
       R"({"key":"k","status":"captured","amount":5.0,"currency":"GBP","last4":"4242","decline_code":""})"},
      {charge, 200,
       R"({"key":"k","status":"captured","amount":"5","currency":"GBP","last4":"4242","decline_code":""})"},
      {charge, 200,
       R"({"key":"k","status":"captured","amount":5,"currency":"EUR","last4":"4242","decline_code":""})"},
      {charge, 200,
       R"({"key":"k","status":"captured","amount":5,"currency":"GBP","last4":"42424","decline_code":""})"},
      {charge, 200,
       R"({"key":"k","status":"captured","amount":5,"currency":"GBP","last4":"4242","decline_code":"x"})"},
      {charge, 200,
       R"({"key":"k","status":"declined","amount":5,"currency":"GBP","last4":"4242","decline_code":""})"},
      {charge, 200,
       R"({"key":"k","status":"voided","amount":5,"currency":"GBP","last4":"4242","decline_code":""})"},
      {charge, 200,
       R"({"key":"k","status":"captured","amount":5,"currency":"GBP","last4":"4242"})"},
      {charge, 200,
       R"({"key":"k","status":"captured","amount":5,"currency":"GBP","last4":"4242","decline_code":"","more":1})"},
      {charge, 200,
       R"({"key":"k","status":"captured","amount":5,"currency":"GBP","last4":"4242","decline_code":"","key":"k"})"},
      {charge, 200, R"({"key":"k","status":"voided"})"},
      {charge, 409, R"({"key":"k","error":"captured"})"},
      {charge, 409, R"({"key":"other","error":"voided"})"},
      {charge, 409, R"({"key":"k","error":"no_such"})"},
      {charge, 400, R"({"error":"malformed"})"},
      {void_it, 200, good},
      {void_it, 409, R"({"key":"k","error":"voided"})"},
      {refund, 200,
       R"({"key":"k","refund_key":"s","status":"refunded","amount":3,"currency":"GBP"})"},
      {refund, 200,
       R"({"key":"k","refund_key":"r","status":"refunded","amount":4,"currency":"GBP"})"},
  };
  for (const auto& r : rows) {
    const auto said = from_wire(r.asked, r.status, r.body);
    BOOST_TEST_REQUIRE(!said.has_value(), r.body);
    BOOST_TEST(said.error().is(base_errc::timeout), r.body);
  }
}

BOOST_AUTO_TEST_CASE(provider_urls_are_checked) {
  struct row {
    const char* url;
    const char* host;
    int port;
  };
  for (const auto& r : {row{"http://127.0.0.1:8090", "127.0.0.1", 8090},
                        row{"http://pay.example/", "pay.example", 80},
                        row{"http://[::1]:81", "::1", 81}, row{"http://[::1]", "::1", 80}}) {
    const auto at = parse_provider_url(r.url);
    BOOST_TEST_REQUIRE(at.has_value(), r.url);
    BOOST_TEST(at->host == r.host);
    BOOST_TEST(at->port == r.port);
  }
  for (const char* url : {"", "http://", "https://x", "x:80", "http://x:0", "http://x:65536",
                          "http://x:", "http://x/y", "http://u@x", "http://x?y", "http://[::1",
                          "http://[]:1", "http://::1"}) {
    BOOST_TEST(!parse_provider_url(url).has_value(), url);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace payment_wire_test
}  // namespace omnicart::http
