#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/payment/payment_messages.hpp"
#include "runtime/base/result.hpp"

// What the engine and a payment provider say to each other over HTTP (the provider's side:
// tools/pay/provider_api.hpp).
namespace omnicart::http {

struct provider_address {
  std::string host;
  std::uint16_t port = 80;
};

// "http://HOST[:PORT][/]". Refusal: base_errc::malformed for any other scheme, a path, a query or a
// user.
result<provider_address> parse_provider_url(std::string_view url);

struct wire_request {
  std::string target;  // percent-encoded
  std::string body;    // JSON; "" for a void
};
wire_request to_wire(const payment::command& asked);

// What the provider's answer means. A value or a refusal (payment::errc, base_errc::malformed) only
// when the answer is exactly what a provider says to this command, for the same key and amount.
// Anything else says nothing about what happened: base_errc::timeout, or base_errc::unavailable for
// a 503 (nothing was done).
result<payment::charge_result> from_wire(const payment::command& asked, unsigned http_status,
                                         std::string_view body);

}  // namespace omnicart::http
