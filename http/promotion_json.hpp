#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/coupon/coupon_messages.hpp"
#include "actors/gift_card/gift_card_messages.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"

namespace omnicart::http {

// What staff see of a coupon or a gift card, one whole JSON object.
std::string coupon_json(const std::string& code, const coupon::coupon_view& view,
                        std::uint64_t version);
std::string gift_card_json(const std::string& code, const gift_card::card_view& view,
                           std::uint64_t version);

// A coupon as staff define it, all members but its code; errors go to the reader's list.
coupon::definition read_definition(object_reader& read, currency_code currency);

// An RFC 3339 time; nothing when it is absent or wrong.
std::optional<timestamp_ms> read_time(object_reader& read, std::string_view name);

void write_amounts(json_writer& json, std::string_view name, const std::vector<money>& amounts);

}  // namespace omnicart::http
