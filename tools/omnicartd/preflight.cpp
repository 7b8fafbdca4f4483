#include "tools/omnicartd/preflight.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <memory>

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

}  // namespace omnicart::node
