#pragma once

#include <cstdint>

#include "runtime/base/money.hpp"
#include "runtime/base/time.hpp"
#include "runtime/message.hpp"

// What the stories of one node and of several have in common.
namespace omnicart::sim {

inline constexpr std::uint64_t story_steps_max = 2'000'000;  // far beyond what any story takes
inline const currency_code gbp = *currency_code::parse("GBP");
// Between a client and its node, at most.
inline constexpr duration_ms network_delay{3};

inline answer lost_connection(base_errc code) {
  answer got;
  got.failure = make_error(code, "the connection is gone");
  return got;
}

}  // namespace omnicart::sim
