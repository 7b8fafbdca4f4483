#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server/message.hpp"
#include "runtime/base/ip_network.hpp"

namespace omnicart::http {

// In which field the proxies say for whom they ask. One, not whichever is there: a client can send
// the other, and a proxy passes on what it does not know.
enum class client_field { x_forwarded_for, forwarded };  // RFC 7239 for the second

// Who a request comes from when it came through proxies of ours. Immutable; any thread.
class trusted_proxies {
 public:
  trusted_proxies() = default;  // trusts nobody
  trusted_proxies(std::vector<ip_network> proxies, client_field field)
      : proxies_(std::move(proxies)), field_(field) {}

  bool trusts(std::string_view address) const;

  // The client's address, for a request on a connection from `peer`, which is trusted. Each proxy
  // adds the address it was asked from at the right, so it is the rightmost one that is no trusted
  // proxy's: what stands further left anybody may have written. Where that is missing or no address
  // ("unknown"), the last proxy's.
  std::string client_of(const request& req, std::string_view peer) const;

 private:
  bool trusts(const ip_address& address) const;

  std::vector<ip_network> proxies_;
  client_field field_ = client_field::x_forwarded_for;
};

}  // namespace omnicart::http
