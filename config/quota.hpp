#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace omnicart::config {

// One line of rate_limits.quotas: "POST /api/orders 5/60s burst 2 per user".
struct quota {
  enum class subject : std::uint8_t { address = 0, session = 1, user = 2 };
  std::string route;  // "POST /api/orders"
  std::int64_t count = 1, seconds = 1;
  std::int64_t burst = 1;
  subject per = subject::address;

  friend bool operator==(const quota&, const quota&) = default;
};

// Refusal: malformed, with the option's name and what is expected.
result<quota> parse_quota(std::string_view text);

}  // namespace omnicart::config
