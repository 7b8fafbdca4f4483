#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

// Time as stored and compared: milliseconds since 1970-01-01 UTC, no leap seconds. Nothing here reads a clock;
// clocks are ports (runtime/clock.hpp).
namespace omnicart {

using duration_ms = std::chrono::milliseconds;
using timestamp_ms = std::chrono::sys_time<duration_ms>;

// RFC 3339 section 5.6, UTC with three decimals: "2010-12-01T08:26:00.000Z". Total for years 0001-9999.
std::string to_rfc3339(timestamp_ms time);

// Accepts "YYYY-MM-DDThh:mm:ss[.fraction](Z|+hh:mm|-hh:mm)"; further decimals than three are cut.
// Refusal: base_errc::malformed.
result<timestamp_ms> parse_rfc3339(std::string_view text);

}  // namespace omnicart
