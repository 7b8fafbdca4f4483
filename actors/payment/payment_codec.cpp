#include "actors/payment/payment_messages.hpp"
#include "runtime/base/codec.hpp"

namespace omnicart::payment {

const char* to_string(errc code) {
  switch (code) {
    case errc::key_reused:
      return "key_reused";
    case errc::voided:
      return "voided";
    case errc::not_captured:
      return "not_captured";
    case errc::over_refund:
      return "over_refund";
    case errc::captured:
      return "captured";
    case errc::unknown_method:
      return "unknown_method";
    case errc::not_authorised:
      return "not_authorised";
  }
  return "";
}

const char* to_string(method_type type) {
  switch (type) {
    case method_type::card:
      return "card";
    case method_type::paypal:
      return "paypal";
    case method_type::invoice:
      return "invoice";
  }
  return "";
}

const char* to_string(capture_when when) {
  switch (when) {
    case capture_when::at_order:
      return "order";
    case capture_when::at_shipment:
      return "shipment";
  }
  return "";
}

const char* to_string(news_kind kind) {
  switch (kind) {
    case news_kind::authorised:
      return "authorised";
    case news_kind::captured:
      return "captured";
    case news_kind::declined:
      return "declined";
    case news_kind::voided:
      return "voided";
    case news_kind::refunded:
      return "refunded";
  }
  return "";
}

std::string encode(const command& what) { return codec::encode(what); }
result<command> decode_command(std::string_view bytes) { return codec::decode<command>(bytes); }
std::string encode_reply(const reply& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }

}  // namespace omnicart::payment
