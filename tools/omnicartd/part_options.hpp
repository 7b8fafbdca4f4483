#pragma once

#include "config/options.hpp"
#include "http/password_hasher.hpp"
#include "http/payment_gateway.hpp"
#include "http/rate_limiter.hpp"
#include "http/server/limits.hpp"
#include "http/server/trusted_proxies.hpp"
#include "http/sign_in_guard.hpp"
#include "persistence/store.hpp"
#include "runtime/router.hpp"

// The configuration, as each part of the node wants it. The values have been checked.
namespace omnicart::node {

persistence::store_options store_options(const config::options& o);
router_limits limits_of(const config::options& o);
http::server_limits limits_of(const config::http_options& o);
http::trusted_proxies proxies_of(const config::http_options& o);
http::rate_limits limits_of(const config::rate_limit_options& o);
http::sign_in_limits limits_of(const config::password_options& o);
http::password_options password_options(const config::options& o);
http::payment_gateway_options gateway_options(const config::options& o, http::provider_address provider);

}  // namespace omnicart::node
