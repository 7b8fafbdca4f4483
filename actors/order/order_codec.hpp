#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/order/order.hpp"

// Bytes and JSON text of an order's messages, events and snapshot. Refusal of every decode:
// base_errc::malformed.
namespace omnicart::order {

result<command> decode_command(std::string_view bytes);
std::string encode_reply(const reply& what);
std::string encode_event(const event& what);
result<event> decode_event(std::string_view bytes);
std::string encode_state(const state& s);
result<state> decode_state(std::string_view bytes);

// JSON for people; the payment token is left out, and in events the staff's notes: buyers see them.
std::string describe_event(const event& what);
std::string describe_state(const state& s);

// What refusals of others carry in error::data.
std::optional<order_id> decode_order_id(std::string_view data);
std::optional<std::int64_t> decode_available(std::string_view data);

}  // namespace omnicart::order
