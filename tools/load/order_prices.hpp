#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace omnicart::load {

// What does not add up in an order or a cart as an answer shows it, by docs/pricing.md: a line's
// total from its parts, the sums from the lines, the total from the sums. Empty: all of it does. A
// list may leave the lines out; then the sums alone are looked at. Pure.
std::string price_fault(const nlohmann::json& shown);

// The amount of a member {"amount": …, "currency": …}; 0 when there is none.
std::int64_t amount_in(const nlohmann::json& object, const char* name);

}  // namespace omnicart::load
