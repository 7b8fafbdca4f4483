#pragma once

#include "http/metrics.hpp"
#include "http/server/router.hpp"

namespace omnicart::http {

class rate_limiter;
struct shop;

// The whole public API: every route of the shop, each behind the rate limit of its class (429
// rate_limited, with Retry-After and RateLimit-Limit, -Remaining, -Reset). `in` and `limits`
// outlive the router.
router make_routes(const shop& in, rate_limiter& limits);

}  // namespace omnicart::http
