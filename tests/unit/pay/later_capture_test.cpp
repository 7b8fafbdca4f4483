#include <boost/test/unit_test.hpp>

#include "http/payment_wire.hpp"
#include "tools/pay/provider_rules.hpp"

namespace omnicart::pay {
namespace later_capture_test {

const currency_code gbp = *currency_code::parse("GBP");
constexpr timestamp_ms noon{duration_ms{1'700'000'000'000}};

struct provider {
  provider_book book;
  std::vector<entry> ledger;

  verdict ask(const request& what, timestamp_ms now = noon) { return book.handle(what, now, ledger); }
  verdict authorise(const std::string& key, const std::string& token = "tok_ok") {
    return ask(charge_request{key, {700, gbp}, method::card, token, capture_mode::later});
  }
  verdict capture(const std::string& key, std::int64_t minor = 700) {
    return ask(capture_request{key, {minor, gbp}});
  }
  std::string kinds() const {
    std::string out;
    for (const auto& what : ledger) out += std::string(to_string(what.kind)) + ' ';
    return out;
  }
};

std::string word(const verdict& said) {
  return said.result ? to_string(said.result->status) : to_string(said.result.error());
}

BOOST_AUTO_TEST_SUITE(pay_later_capture)

BOOST_AUTO_TEST_CASE(what_is_authorised_is_captured_once_and_whole) {
  provider p;
  BOOST_TEST(word(p.authorise("k")) == "authorised");
  BOOST_TEST(word(p.authorise("k")) == "authorised");
  BOOST_TEST(p.kinds() == "authorisation ");
  BOOST_TEST(word(p.capture("k", 699)) == "not_authorised");
  BOOST_TEST(word(p.capture("k")) == "captured");
  BOOST_TEST(word(p.capture("k")) == "captured");
  BOOST_TEST(word(p.authorise("k")) == "captured");
  BOOST_TEST(p.kinds() == "authorisation capture ");
  BOOST_TEST(p.book.summary().totals.at("GBP").captured_minor == 700);
}

BOOST_AUTO_TEST_CASE(what_was_never_authorised_declined_or_voided_is_not_captured) {
  provider p;
  BOOST_TEST(word(p.capture("none")) == "not_authorised");
  BOOST_TEST(word(p.authorise("d", "tok_declined")) == "declined");
  BOOST_TEST(word(p.capture("d")) == "not_authorised");
  p.authorise("v");
  BOOST_TEST(word(p.ask(void_request{"v"})) == "voided");
  BOOST_TEST(word(p.capture("v")) == "voided");
  BOOST_TEST(word(p.authorise("v")) == "voided");
  BOOST_TEST(word(p.capture("")) == "malformed");
}

BOOST_AUTO_TEST_CASE(a_slow_card_is_pending_until_its_time_and_then_decided) {
  for (const auto& [token, end] : {std::pair{"tok_async", "captured"}, std::pair{"tok_async_declined", "declined"}}) {
    provider p;
    const charge_request asked{"k", {700, gbp}, method::card, token};
    BOOST_TEST(word(p.ask(asked)) == "pending");
    p.book.decide_due(noon + pending_for - duration_ms{1}, p.ledger);
    BOOST_TEST((p.ledger.empty() && word(p.ask(asked)) == "pending"));
    p.book.decide_due(noon + pending_for, p.ledger);
    BOOST_TEST(!p.ledger.empty());
    BOOST_TEST(word(p.ask(asked)) == end);
  }
}

BOOST_AUTO_TEST_CASE(what_is_voided_while_it_is_pending_is_never_decided) {
  provider p;
  p.ask(charge_request{"k", {700, gbp}, method::card, "tok_async"});
  BOOST_TEST(word(p.ask(void_request{"k"})) == "voided");
  p.book.decide_due(noon + pending_for * 2, p.ledger);
  BOOST_TEST(p.kinds() == "void ");
}

BOOST_AUTO_TEST_CASE(no_more_than_so_many_are_pending_at_once) {
  provider p;
  for (std::size_t i = 0; i < pending_keys_max; ++i) {
    p.ask(charge_request{"k" + std::to_string(i), {1, gbp}, method::card, "tok_async"});
  }
  BOOST_TEST(word(p.ask(charge_request{"one more", {1, gbp}, method::card, "tok_async"})) == "malformed");
  BOOST_TEST(word(p.ask(charge_request{"one-more", {1, gbp}, method::card, "tok_async"})) == "captured");
}

// What the engine makes of the provider's words about an authorisation and its capture.
BOOST_AUTO_TEST_CASE(the_engine_reads_authorisations_captures_and_pending) {
  using namespace http;
  const order_id key("k");
  const payment::authorise wish{key, {700, gbp}, {payment::method_type::card, "tok_ok"}};
  const payment::capture take{key, {700, gbp}};
  const auto wire = to_wire(wish);
  BOOST_TEST((wire.target == "/charges" && wire.body.find(R"("capture":"later")") != std::string::npos));
  BOOST_TEST(to_wire(take).target == "/charges/k/capture");
  const auto said = [](const char* status) {
    return std::string(R"({"key":"k","status":")") + status +
           R"(","amount":700,"currency":"GBP","last4":"4242","decline_code":""})";
  };
  const auto held = from_wire(wish, 200, said("authorised"));
  BOOST_TEST((held && held->status == payment::charge_status::authorised && held->last4 == "4242"));
  const auto known = from_wire(wish, 200, said("captured"));
  BOOST_TEST((known && known->status == payment::charge_status::captured));
  const auto taken = from_wire(take, 200, said("captured"));
  BOOST_TEST((taken && taken->status == payment::charge_status::captured));
  BOOST_TEST(from_wire(take, 200, said("authorised")).error().is(base_errc::timeout));
  BOOST_TEST(from_wire(take, 409, R"({"key":"k","error":"not_authorised"})").error().is(payment::errc::not_authorised));
  BOOST_TEST(from_wire(take, 409, R"({"key":"k","error":"voided"})").error().is(payment::errc::voided));
  BOOST_TEST(from_wire(wish, 202, R"({"key":"k","error":"pending"})").error().is(base_errc::timeout));
  const payment::charge at_once{key, {700, gbp}, {payment::method_type::card, "tok_ok"}};
  BOOST_TEST(from_wire(at_once, 200, said("authorised")).error().is(base_errc::timeout));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace later_capture_test
}  // namespace omnicart::pay
