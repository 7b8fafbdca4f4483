#pragma once

#include <cstdint>
#include <string>

#include "actors/order/order_messages.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "http/server/problem.hpp"

namespace omnicart::http {

// The order of api.md, one whole JSON object.
std::string order_json(const std::string& id, const order::order_view& view, std::uint64_t version);

// What a checkout that ended without an order to pay for answers: 402 declined, 409 rejected (404 for a cart that is
// not there), naming the order and what stood in the way.
problem checkout_problem(const std::string& id, const order::order_view& view);

// An address as sent; errors go to the reader's list.
order::address read_address(object_reader read);
void write_address(json_writer& json, const order::address& at);

}  // namespace omnicart::http
