#pragma once

#include <functional>
#include <optional>

#include "http/metrics.hpp"
#include "http/server/router.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::http {

class product_search;
class rate_limiter;
class user_list;
struct shop;

// The whole public API: every route of the shop, each behind the door (http/door.hpp): rate limits,
// and the table of who may make which call. `in`, `finder`, `users` and `limits` outlive the router.
// `refusing`: why the node cannot take writes now, if so; /health/ready answers with that. Any
// thread.
router make_routes(const shop& in, product_search& finder, user_list& users, rate_limiter& limits,
                   std::function<std::optional<error>()> refusing);

}  // namespace omnicart::http
