#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actors/payment/payment_messages.hpp"

namespace omnicart::http {

inline constexpr std::size_t payment_key_bytes_max = 160;  // an order's id, as the provider knows it

// What an entry of the provider's ledger says, as the order is told it; nothing for a kind that is not known.
struct provider_word {
  std::string key;
  payment::news what;
};
std::optional<payment::news_kind> news_kind_of(std::string_view entry_kind);

// The body of a webhook: one flat object {event, kind, key, amount, currency, refund_key, decline_code, last4}.
// Refusal: malformed.
result<provider_word> parse_provider_word(std::string_view body);

}  // namespace omnicart::http
