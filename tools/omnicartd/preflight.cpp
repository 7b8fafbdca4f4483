#include "tools/omnicartd/preflight.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "cluster/link/hello.hpp"
#include "cluster/link/link_tls.hpp"
#include "config/quota.hpp"
#include "http/access_table.hpp"
#include "http/payment_wire.hpp"
#include "http/server/server.hpp"

namespace omnicart::node {
namespace {

using found_addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// The first one of the family, or "".
std::string first_of(const addrinfo* found, int family) {
  std::array<char, NI_MAXHOST> text{};
  for (; found != nullptr; found = found->ai_next) {
    if (found->ai_family != family) continue;
    if (::getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      return text.data();
    }
  }
  return {};
}

// A quota for a call that there is not would limit nothing, and of two for the same call and subject one; nobody would
// notice.
status check_quotas(const config::rate_limit_options& o) {
  std::map<std::pair<std::string, config::quota::subject>, std::string> before;
  for (const auto& text : o.quotas) {
    const auto parsed = config::parse_quota(text);
    if (!parsed) return fail(parsed.error());
    const std::string_view route = parsed->route;
    const auto between = route.find(' ');
    const auto verb = http::parse_method(route.substr(0, between));
    if (http::find_access(verb, route.substr(between + 1)) == nullptr) {
      return fail(base_errc::malformed, "rate_limits.quotas: '" + text + "': there is no call " + parsed->route +
                                            "; docs/access.md has them all, as they are to be written");
    }
    const auto [first, is_new] = before.emplace(std::pair(parsed->route, parsed->per), text);
    if (is_new) continue;
    return fail(base_errc::malformed, "rate_limits.quotas: '" + text + "': there is one for this call and subject already, '" +
                                          first->second + "'");
  }
  return {};
}

}  // namespace

result<std::string> listen_address(const std::string& key, const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &wanted, &list);
  const found_addresses found(list, &::freeaddrinfo);
  if (failed != 0) {
    return fail(base_errc::malformed,
                key + ": cannot listen on '" + host +
                    "', no address and no known name: " + ::gai_strerror(failed));
  }
  const auto v4 = first_of(found.get(), AF_INET);
  return v4.empty() ? first_of(found.get(), AF_INET6) : v4;
}

status preflight(config::options& options) {
  if (auto kept = check_quotas(options.rate_limits); !kept) return kept;
  auto front = listen_address("http.address", options.http.address);
  if (!front) return fail(front.error());
  auto operators = listen_address("operator.address", options.operators.address);
  if (!operators) return fail(operators.error());
  options.http.address = std::move(*front);
  options.operators.address = std::move(*operators);
  if (!options.http.tls_cert.empty()) {
    auto usable = http::check_tls({options.http.tls_cert, options.http.tls_key});
    if (!usable) return usable;
  }
  if (options.payment.url.empty()) return {};
  const auto provider = http::parse_provider_url(options.payment.url);
  return provider ? status{} : fail(provider.error());
}

status check_link(const config::cluster_options& o) {
  if (o.port < 0) return {};
  if (!cluster::is_cluster_id(o.name)) {
    return fail(base_errc::malformed, "cluster.name: '" + o.name + "': a cluster is named with 1 to 64 of a-z, 0-9 and -");
  }
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(o.address, no_address);
  if (no_address) {
    return fail(base_errc::malformed, "cluster.address: '" + o.address + "' is no IP address");
  }
  if (o.authority.empty()) {
    if (address.is_loopback()) return {};
    return fail(base_errc::malformed, "cluster.address: without certificates a node listens for others on loopback only, not on " +
                                          o.address + ": set cluster.authority, cluster.certificate and cluster.private_key " +
                                          "(omnicartctl cert makes them)");
  }
  const auto made = cluster::make_link_tls(
      {.authority = o.authority, .certificate = o.certificate, .private_key = o.private_key},
      {.cluster = o.name, .node = static_cast<cluster::node_id>(o.node)});
  return made ? status{} : fail(base_errc::malformed, "the certificates of [cluster]: " + made.error().detail);
}

}  // namespace omnicart::node
