#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/base/entity.hpp"
#include "runtime/base/money.hpp"

// What an order says to the payment provider. "payment" is a port, not an entity: effects addressed to
// "payment/<order_id>" go to the provider, which keeps its own ledger. The order id is the provider's key: the same
// key with the same content is answered from the ledger.
namespace omnicart::payment {

enum class errc : error_number {
  key_reused = 800,    // the provider knows the key with another amount or method
  voided = 801,        // the key was voided: refused for ever
  not_captured = 802,  // refund of what was never captured
  over_refund = 803,   // refunds would exceed the capture
  captured = 804,      // void of a captured key: too late, refund instead
  unknown_method = 805,
  not_authorised = 806,  // capture of what was never authorised
};
const char* to_string(errc code);

enum class method_type : std::uint8_t { card = 0, paypal = 1, invoice = 2 };
const char* to_string(method_type type);

struct method {
  method_type type = method_type::card;
  std::string token;
  friend bool operator==(const method&, const method&) = default;
  OMNICART_FIELDS(type, token)
};

struct charge { order_id order; money amount; method how; OMNICART_FIELDS(order, amount, how) };  // authorise and capture
struct void_charge { order_id order; OMNICART_FIELDS(order) };
struct refund { order_id order; std::string refund_key; money amount; OMNICART_FIELDS(order, refund_key, amount) };

struct authorise { order_id order; money amount; method how; OMNICART_FIELDS(order, amount, how) };  // capture comes later
struct capture { order_id order; money amount; OMNICART_FIELDS(order, amount) };                      // of what is authorised, all of it

using command = std::variant<charge, void_charge, refund, authorise, capture>;

// When the shop takes the money of an order: as it is placed, or with its first shipment.
enum class capture_when : std::uint8_t { at_order = 0, at_shipment = 1 };
const char* to_string(capture_when when);

enum class charge_status : std::uint8_t { captured = 0, declined = 1, voided = 2, refunded = 3, authorised = 4 };

// The provider's word. Anything else that comes back (no answer, nonsense) is base_errc::timeout: outcome unknown.
struct charge_result {
  charge_status status = charge_status::captured;
  std::string decline_code;  // "card_declined", … when declined
  std::string last4;
  friend bool operator==(const charge_result&, const charge_result&) = default;
  OMNICART_FIELDS(status, decline_code, last4)
};
using reply = charge_result;

// What the provider tells by itself: by a signed webhook, or as its ledger says it. May come in any order, any number of
// times.
enum class news_kind : std::uint8_t { authorised = 0, captured = 1, declined = 2, voided = 3, refunded = 4 };
const char* to_string(news_kind kind);
struct news {
  news_kind kind{};
  money amount;
  std::string refund_key;
  std::string decline_code;
  std::string last4;
  OMNICART_FIELDS(kind, amount, refund_key, decline_code, last4)
};

std::string encode(const command& what);
result<command> decode_command(std::string_view bytes);
std::string encode_reply(const reply& what);
result<reply> decode_reply(std::string_view bytes);

}  // namespace omnicart::payment
