#pragma once

#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::ctl {

inline constexpr duration_ms duration_max = std::chrono::hours(24 * 365);

// A span of time as typed: "30" and "30s" are seconds, "500ms", "2m", "1h". Whole numbers only.
// Refusal: base_errc::malformed, also above duration_max.
result<duration_ms> parse_duration(std::string_view text);

}  // namespace omnicart::ctl
