#pragma once

#include <string>

#include "cluster/replicated_journal.hpp"
#include "config/options.hpp"
#include "http/password_hasher.hpp"
#include "http/payment_gateway.hpp"
#include "http/rate_limiter.hpp"
#include "http/server/limits.hpp"
#include "http/server/server.hpp"
#include "http/shop.hpp"
#include "http/sign_in_guard.hpp"
#include "persistence/store.hpp"
#include "runtime/router.hpp"
#include "tools/omnicartd/pay_child.hpp"

// The configuration, as each part of the node wants it. The values have been checked.
namespace omnicart::node {

persistence::store_options store_options(const config::options& o);
// Without the seed, and without whom the journal calls.
cluster::journal_options journal_options(const config::options& o);
router_limits limits_of(const config::options& o);
http::server_limits limits_of(const config::http_options& o);
// Without its observer.
http::server_options server_options(const config::options& o);
http::rate_limits limits_of(const config::rate_limit_options& o);
http::sign_in_limits limits_of(const config::password_options& o);
http::password_options password_options(const config::options& o);
// Lives of tokens and sessions, origins of cookies, and when money is taken.
void set_limits(http::shop& of, const config::options& o);
// How this node's own simulated provider is started. It is told of the node's webhook where that can be reached: not over
// TLS, nor at a port that is not known before it is opened.
pay_command simulated_provider(const config::options& o);
// "" where none is configured. Fault: io, as http/secret_file.hpp.
result<std::string> webhook_secret_of(const config::options& o);
http::payment_gateway_options gateway_options(const config::options& o, http::provider_address provider);

}  // namespace omnicart::node
