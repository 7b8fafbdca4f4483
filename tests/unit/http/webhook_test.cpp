#include <boost/test/unit_test.hpp>

#include "http/provider_word.hpp"
#include "http/webhook_signature.hpp"

namespace omnicart::http {
namespace webhook_test {

constexpr const char* secret = "a secret of more than thirty-two characters";
constexpr std::int64_t now_s = 1'700'000'000;

BOOST_AUTO_TEST_SUITE(http_webhook)

BOOST_AUTO_TEST_CASE(a_signature_is_over_time_and_body_with_the_secret) {
  const auto header = sign_webhook(secret, now_s, "{}");
  BOOST_TEST(header.starts_with("t=1700000000,v1="));
  BOOST_TEST(header.size() == std::string("t=1700000000,v1=").size() + 64);
  struct row {
    const char* name;
    std::string header, body, key;
    std::int64_t at;
    webhook_verdict expected;
  };
  const std::vector<row> rows{
      {"as it was signed", header, "{}", secret, now_s, webhook_verdict::good},
      {"at the end of its time", header, "{}", secret, now_s + webhook_age_max_s, webhook_verdict::good},
      {"too old", header, "{}", secret, now_s + webhook_age_max_s + 1, webhook_verdict::stale},
      {"of the future", header, "{}", secret, now_s - webhook_age_max_s - 1, webhook_verdict::stale},
      {"another body", header, "{ }", secret, now_s, webhook_verdict::forged},
      {"another secret", header, "{}", "another secret of more than thirty-two", now_s, webhook_verdict::forged},
      {"another time", "t=1700000001" + header.substr(12), "{}", secret, now_s, webhook_verdict::forged},
      {"cut short", header.substr(0, header.size() - 1), "{}", secret, now_s, webhook_verdict::forged},
      {"nothing", "", "{}", secret, now_s, webhook_verdict::malformed},
      {"no time", "t=,v1=00", "{}", secret, now_s, webhook_verdict::malformed},
      {"another version", "t=1700000000,v2=00", "{}", secret, now_s, webhook_verdict::malformed},
  };
  for (const auto& r : rows)
    BOOST_TEST(int(check_webhook(r.key, r.header, r.body, r.at)) == int(r.expected), r.name);
}

BOOST_AUTO_TEST_CASE(a_word_has_kind_key_and_amount_and_nothing_nested) {
  const auto word = parse_provider_word(
      R"({"event":"7","kind":"refund","key":"k","amount":300,"currency":"GBP","refund_key":"r","decline_code":"","last4":""})");
  BOOST_TEST_REQUIRE(word.has_value());
  BOOST_TEST((word->key == "k" && word->what.kind == payment::news_kind::refunded && word->what.refund_key == "r" &&
              word->what.amount.amount_minor == 300));
  for (const char* bad : {"", "[]", "{}", R"({"kind":"dance","key":"k","amount":1,"currency":"GBP"})",
                          R"({"kind":"capture","key":"","amount":1,"currency":"GBP"})",
                          R"({"kind":"capture","key":"k","amount":-1,"currency":"GBP"})",
                          R"({"kind":"capture","key":"k","amount":1.5,"currency":"GBP"})",
                          R"({"kind":"capture","key":"k","amount":1,"currency":"gbp"})",
                          R"({"kind":"capture","key":"k","amount":1,"currency":"GBP","more":{}})"}) {
    BOOST_TEST(!parse_provider_word(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace webhook_test
}  // namespace omnicart::http
