#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/stock/stock_messages.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "http/server/message.hpp"
#include "runtime/message.hpp"

namespace omnicart::http {

// What anybody may know of a product's stock.
struct availability {
  std::int64_t units = 0;  // never below 0
  // "in_stock", "low_stock" (at most as many as the terms say, else 5), "back_order" and "pre_order" (nothing is there, and
  // some may be sold all the same) or "out_of_stock".
  std::string_view state = "out_of_stock";
  // When what is sold ahead is to be had, if the terms say so. Only with the states that are.
  std::optional<timestamp_ms> from;
};
availability availability_of(std::int64_t available, const stock::terms& promised);
// Of a stock's answer; of one that has none: out of stock.
availability availability_of(const answer& got);

// The members of one: available, state, available_from?.
void write_availability(json_writer& json, const availability& stock);
// What an ETag has of it: equal for equal ones only.
std::string tag_of(const availability& stock);

// Units that were sold and are not there.
std::int64_t owed_of(std::int64_t available);

// The stock as staff see it, and as anybody does: one whole JSON object.
std::string inventory_json(const std::string& product, const stock::stock_view& view,
                           std::uint64_t version);
std::string offer_json(const std::string& product, const stock::stock_view& view,
                       std::uint64_t version);
// A stock's answer to staff: the inventory with its tag, or the refusal.
response inventory_response(const request& req, const std::string& product, const answer& got);

// A transfer. One that is no longer under way has no time it was sent at.
std::string transfer_json(const std::string& product, const stock::transfer_view& what,
                          std::optional<timestamp_ms> sent_at);

// The terms of a body; errors go to the reader's list. Nothing: it has both, back-order and
// pre-order.
std::optional<stock::terms> read_terms(object_reader& read, std::vector<field_error>& errors);

}  // namespace omnicart::http
