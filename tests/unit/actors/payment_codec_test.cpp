#include <boost/test/unit_test.hpp>
#include <variant>

#include "actors/payment/payment_messages.hpp"
#include "runtime/base/codec.hpp"

namespace omnicart::payment {
namespace payment_codec_test {

const money ten{1000, *currency_code::parse("GBP")};

std::string hex(std::string_view bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char c : bytes) (text += digits[c >> 4]) += digits[c & 15];
  return text;
}

BOOST_AUTO_TEST_SUITE(payment_codec)

// Providers' adapters and older nodes read these bytes: they may grow at the end of a struct, never
// change.
BOOST_AUTO_TEST_CASE(messages_keep_their_bytes) {
  BOOST_TEST(hex(encode(charge{order_id{"o1"}, ten, {method_type::paypal, "tok"}})) ==
             "9201920093c4026f3192cd03e8c4034742509201c403746f6b");
  BOOST_TEST(hex(encode(void_charge{order_id{"o1"}})) == "9201920191c4026f31");
  BOOST_TEST(hex(encode(refund{order_id{"o1"}, "cancel", ten})) ==
             "9201920293c4026f31c40663616e63656c92cd03e8c403474250");
  BOOST_TEST(hex(encode_reply({charge_status::declined, "card_declined", "0002"})) ==
             "92019301c40d636172645f6465636c696e6564c40430303032");
}

BOOST_AUTO_TEST_CASE(messages_read_back) {
  const auto read =
      decode_command(encode(charge{order_id{"o1"}, ten, {method_type::card, "tok_ok"}}));
  BOOST_REQUIRE(read.has_value());
  const auto& back = std::get<charge>(*read);
  BOOST_TEST(back.order.str() == "o1");
  BOOST_TEST((back.amount == ten && back.how == method{method_type::card, "tok_ok"}));
  BOOST_TEST(
      std::holds_alternative<void_charge>(*decode_command(encode(void_charge{order_id{"o1"}}))));
  BOOST_TEST(
      std::get<refund>(*decode_command(encode(refund{order_id{"o1"}, "k", ten}))).refund_key ==
      "k");
  const charge_result word{charge_status::captured, "", "4242"};
  BOOST_TEST((*decode_reply(encode_reply(word)) == word));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_message_are_refused) {
  const std::string whole = encode(refund{order_id{"o1"}, "cancel", ten});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    BOOST_TEST(!decode_command(whole.substr(0, size)).has_value(), size);
  }
  BOOST_TEST(!decode_command(whole + "x").has_value());
  BOOST_TEST(
      !decode_command(codec::encode(std::variant<int, int, int, int>{std::in_place_index<3>, 1}))
           .has_value());
  BOOST_TEST(!decode_reply("").has_value());
}

BOOST_AUTO_TEST_CASE(every_code_and_method_has_a_name) {
  for (const auto code : {errc::key_reused, errc::voided, errc::not_captured, errc::over_refund,
                          errc::captured, errc::unknown_method}) {
    BOOST_TEST(std::string_view(to_string(code)) != "");
  }
  BOOST_TEST(std::string_view(to_string(method_type::card)) == "card");
  BOOST_TEST(std::string_view(to_string(method_type::paypal)) == "paypal");
  BOOST_TEST(std::string_view(to_string(method_type::invoice)) == "invoice");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace payment_codec_test
}  // namespace omnicart::payment
