#include <array>
#include <string>
#include <string_view>

#include "actors/audit/audit_kind.hpp"
#include "actors/cart/cart_kind.hpp"
#include "actors/cluster/cluster_kind.hpp"
#include "actors/coupon/coupon_kind.hpp"
#include "actors/email/email_kind.hpp"
#include "actors/gift_card/gift_card_kind.hpp"
#include "actors/keyring/keyring_kind.hpp"
#include "actors/location/location_kind.hpp"
#include "actors/order/order_codec.hpp"
#include "actors/order/order_kind.hpp"
#include "actors/payment/payment_messages.hpp"
#include "actors/product/product_kind.hpp"
#include "actors/reviews/reviews_kind.hpp"
#include "actors/session/session_kind.hpp"
#include "actors/stock/stock_kind.hpp"
#include "actors/tariff/tariff_kind.hpp"
#include "actors/user/user_kind.hpp"
#include "persistence/key_layout.hpp"
#include "runtime/base/codec.hpp"
#include "tests/fuzz/bodies.hpp"

namespace omnicart::fuzz {
namespace {

// What decodes encodes to bytes that decode again, to the same bytes. (The first bytes may differ:
// older writers leave fields out, newer ones add some.)
template <auto Decode, auto Encode>
void round_trip(std::string_view bytes) {
  const auto value = Decode(bytes);
  if (!value) {
    require(value.error().is(base_errc::malformed), "bytes that do not read are malformed");
    return;
  }
  const std::string once = Encode(*value);
  const auto again = Decode(once);
  require(again.has_value(), "what was read is written so that it reads again");
  require(Encode(*again) == once, "and as the same bytes");
}

template <class Kind>
void command_of(std::string_view bytes) {
  round_trip<&Kind::decode_command, &Kind::encode_command>(bytes);
}
// Events and states are also shown to operators.
template <class Kind>
void event_of(std::string_view bytes) {
  round_trip<&Kind::decode_event, &Kind::encode_event>(bytes);
  if (const auto event = Kind::decode_event(bytes)) {
    require(Kind::describe_event(*event).starts_with('{'), "an event is described as JSON");
  }
}
template <class Kind>
void state_of(std::string_view bytes) {
  round_trip<&Kind::decode_state, &Kind::encode_state>(bytes);
  if (const auto state = Kind::decode_state(bytes)) {
    require(Kind::describe_state(*state).starts_with('{'), "a state is described as JSON");
  }
}

std::string encode_cart_reply(const cart::reply& what) { return cart::encode(what); }
std::string encode_product_reply(const product::reply& what) { return product::encode(what); }
std::string encode_stock_reply(const stock::reply& what) { return stock::encode(what); }
std::string encode_payment_command(const payment::command& what) { return payment::encode(what); }
std::string encode_coupon_reply(const coupon::reply& what) { return coupon::encode(what); }
std::string encode_gift_card_reply(const gift_card::reply& what) { return gift_card::encode(what); }
std::string encode_tariff_reply(const tariff::reply& what) { return tariff::encode(what); }
std::string encode_reviews_reply(const reviews::reply& what) { return codec::encode(what); }
std::string encode_location_reply(const location::reply& what) { return location::encode(what); }
std::string encode_format(const persistence::store_format& what) {
  return persistence::encode(what);
}
std::string encode_log_entry(const persistence::log_entry& what) {
  return persistence::encode(what);
}
std::string encode_event_record(const event_record& what) { return persistence::encode(what); }
std::string encode_snapshot(const snapshot& what) { return persistence::encode(what); }
std::string encode_receipt(const receipt& what) { return persistence::encode(what); }

using codec_check = void (*)(std::string_view);

// By byte 0. Append only: the corpus refers to positions.
constexpr std::array<codec_check, 66> codecs{
    command_of<cart::kind>,
    event_of<cart::kind>,
    state_of<cart::kind>,
    round_trip<&cart::decode_reply, &encode_cart_reply>,
    command_of<email::kind>,
    event_of<email::kind>,
    state_of<email::kind>,
    round_trip<&email::decode_reply, &email::kind::encode_reply>,
    command_of<order::kind>,
    event_of<order::kind>,
    state_of<order::kind>,
    round_trip<&order::decode_reply, &order::encode_reply>,
    command_of<product::kind>,
    event_of<product::kind>,
    state_of<product::kind>,
    round_trip<&product::decode_reply, &encode_product_reply>,
    command_of<session::kind>,
    event_of<session::kind>,
    state_of<session::kind>,
    round_trip<&session::decode_reply, &session::kind::encode_reply>,
    command_of<stock::kind>,
    event_of<stock::kind>,
    state_of<stock::kind>,
    round_trip<&stock::decode_reply, &encode_stock_reply>,
    command_of<user::kind>,
    event_of<user::kind>,
    state_of<user::kind>,
    round_trip<&user::decode_reply, &user::kind::encode_reply>,
    round_trip<&payment::decode_command, &encode_payment_command>,
    round_trip<&payment::decode_reply, &payment::encode_reply>,
    round_trip<&persistence::decode_store_format, &encode_format>,
    round_trip<&persistence::decode_log_entry, &encode_log_entry>,
    round_trip<&persistence::decode_event_record, &encode_event_record>,
    round_trip<&persistence::decode_snapshot, &encode_snapshot>,
    round_trip<&persistence::decode_receipt, &encode_receipt>,
    round_trip<&session::decode_lines, &session::encode_lines>,
    command_of<cluster_record::kind>,
    event_of<cluster_record::kind>,
    state_of<cluster_record::kind>,
    round_trip<&cluster_record::decode_reply, &cluster_record::kind::encode_reply>,
    command_of<coupon::kind>,
    event_of<coupon::kind>,
    state_of<coupon::kind>,
    round_trip<&coupon::decode_reply, &encode_coupon_reply>,
    command_of<gift_card::kind>,
    event_of<gift_card::kind>,
    state_of<gift_card::kind>,
    round_trip<&gift_card::decode_reply, &encode_gift_card_reply>,
    command_of<tariff::kind>,
    event_of<tariff::kind>,
    state_of<tariff::kind>,
    round_trip<&tariff::decode_reply, &encode_tariff_reply>,
    command_of<reviews::kind>,
    event_of<reviews::kind>,
    state_of<reviews::kind>,
    round_trip<&reviews::decode_reply, &encode_reviews_reply>,
    command_of<audit::kind>,
    event_of<audit::kind>,
    state_of<audit::kind>,
    command_of<keyring::kind>,
    event_of<keyring::kind>,
    state_of<keyring::kind>,
    command_of<location::kind>,
    event_of<location::kind>,
    state_of<location::kind>,
    round_trip<&location::decode_reply, &encode_location_reply>,
};

}  // namespace

void fuzz_codecs(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  codecs[data[0] % codecs.size()]({reinterpret_cast<const char*>(data + 1), size - 1});
}

}  // namespace omnicart::fuzz
