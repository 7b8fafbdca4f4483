#pragma once

#include <cstdint>
#include <string>

#include "actors/order/order_messages.hpp"
#include "http/server/json_writer.hpp"

// JSON of what follows once an order stands: the records of actors/order/order_after_messages.hpp.
namespace omnicart::http {

// "fulfilment" and the lists that have something in them, as members of an order. No notes: they are the staff's.
void write_aftermath(json_writer& json, const order::order_view& view);

// One record as a whole JSON object, with the order it belongs to; it must be there.
std::string shipment_json(const std::string& order_id, const order::order_view& view, std::uint32_t number);
std::string return_json(const std::string& order_id, const order::order_view& view, std::uint32_t number);
std::string refund_json(const std::string& order_id, const order::order_view& view, std::uint32_t number);
std::string note_json(const std::string& order_id, const order::order_view& view, std::uint32_t number);

std::string notes_json(const order::order_view& view);
// The order's own ledger: what gift cards pay, what was authorised, voided, captured and refunded, with what is still
// owed.
std::string payments_json(const std::string& order_id, const order::order_view& view);

}  // namespace omnicart::http
