#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/location/location_messages.hpp"
#include "http/server/json_reader.hpp"

namespace omnicart::http {

// A stock location as anybody sees it, one whole JSON object.
std::string location_json(const std::string& id, const location::location_view& view,
                          std::uint64_t version);

// A location as admins describe it, all members but its id; errors go to `errors`, which is the
// reader's list.
location::details read_location(object_reader& read, std::vector<field_error>& errors);

// Degrees as a JSON number writes them ("-93.24565"), in millionths: exact, nothing passes through
// floating point. Nothing for text with an exponent, more than three digits before the point or
// more than six behind it.
std::optional<std::int64_t> parse_micro_degrees(std::string_view text);
// The reverse, without zeros at the end: "44.85", "-93".
std::string degrees_text(std::int64_t udeg);

}  // namespace omnicart::http
