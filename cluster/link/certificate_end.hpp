#pragma once

#include <openssl/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "runtime/base/time.hpp"

// When a certificate ends, and what people are told before it does.
namespace omnicart::cluster {

// The end of its validity (notAfter, RFC 5280 section 4.1.2.5). One that does not read counts as
// 1970.
timestamp_ms end_of(const X509& certificate);

// As end_of(), a day: "2027-12-24".
std::string day_of(timestamp_ms time);

inline constexpr std::chrono::days warned_before_end{30};

// One line for the log, when less than warned_before_end is left or it has ended.
std::optional<std::string> end_warning(timestamp_ms ends, timestamp_ms now);

}  // namespace omnicart::cluster
