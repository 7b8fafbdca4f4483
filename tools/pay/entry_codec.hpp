#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/pay/provider_rules.hpp"

// An entry as one line of JSON, the same in the ledger file and in answers to GET /ledger. Members
// in this order; those in brackets only when they have something to say:
//
//   {"seq":1,"at":"2025-01-31T08:00:00.000Z","kind":"capture","key":"…","amount":1299,"currency":"GBP"
//    [,"method":"card"] [,"token":"tok_ok"] [,"last4":"4242"] [,"decline_code":"…"]
//    [,"refund_key":"…"]}
//
// A void has no method. An unknown token is not written.
namespace omnicart::pay {

void append_entry(std::string& out, const entry& what);

// Accepts exactly what append_entry writes. Nothing: the line is damaged.
std::optional<entry> parse_entry(std::string_view line);

}  // namespace omnicart::pay
