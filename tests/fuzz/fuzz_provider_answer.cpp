#include <array>
#include <string>
#include <string_view>

#include "http/payment_wire.hpp"
#include "tests/fuzz/bodies.hpp"

namespace omnicart::fuzz {
namespace {

using payment::charge_status;

// By byte 1. Append only: the corpus refers to positions.
constexpr std::array<unsigned, 8> statuses{200, 400, 409, 422, 503, 500, 201, 302};

// By byte 0: charge, void, refund.
payment::command command_of(unsigned number, const order_id& order) {
  const money amount{.amount_minor = 2'598, .currency = *currency_code::parse("GBP")};
  if (number % 3 == 0) {
    return payment::charge{.order = order,
                           .amount = amount,
                           .how = {.type = payment::method_type::card, .token = "tok_visa"}};
  }
  if (number % 3 == 1) return payment::void_charge{.order = order};
  return payment::refund{.order = order, .refund_key = "r1", .amount = amount};
}

void check_value(const payment::command& asked, const payment::charge_result& said) {
  if (std::holds_alternative<payment::charge>(asked)) {
    require(said.status == charge_status::captured || said.status == charge_status::declined,
            "a charge is captured or declined");
    require((said.status == charge_status::declined) == !said.decline_code.empty(),
            "only what is declined has a reason");
    require(said.last4.empty() || said.last4.size() == 4, "four digits of a card, or none");
  } else if (std::holds_alternative<payment::void_charge>(asked)) {
    require(said.status == charge_status::voided, "a void is voided");
  } else {
    require(said.status == charge_status::refunded, "a refund is refunded");
  }
  const auto stored = payment::decode_reply(payment::encode_reply(said));
  require(stored && *stored == said, "what the provider said survives being sent on");
}

bool is_unknown(const error& why) {
  return why.is(base_errc::timeout) || why.is(base_errc::unavailable);
}

bool is_refusal(const error& why) {
  using payment::errc;
  return why.is(base_errc::malformed) || why.is(errc::key_reused) || why.is(errc::voided) ||
         why.is(errc::not_captured) || why.is(errc::over_refund) || why.is(errc::captured) ||
         why.is(errc::unknown_method);
}

}  // namespace

void fuzz_provider_answer(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return;
  const unsigned http_status = statuses[data[1] % statuses.size()];
  const std::string_view body(reinterpret_cast<const char*>(data + 2), size - 2);
  const auto asked = command_of(data[0], order_id{"o-1"});
  const auto said = http::from_wire(asked, http_status, body);
  if (said) {
    require(http_status == 200, "only 200 carries a result");
    check_value(asked, *said);
  } else {
    require(is_unknown(said.error()) || is_refusal(said.error()),
            "an answer is a refusal or says nothing");
  }
  if (!said && !is_refusal(said.error())) return;
  // A malformed request is refused without its key being known (400).
  const auto other = http::from_wire(command_of(data[0], order_id{"o-2"}), http_status, body);
  require(http_status == 400 || (!other && is_unknown(other.error())),
          "an answer for one key says nothing about another");
}

}  // namespace omnicart::fuzz
