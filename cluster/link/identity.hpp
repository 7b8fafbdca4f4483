#pragma once

#include <openssl/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "cluster/node_id.hpp"

// Who a certificate is for. It stands in the subject alternative name as a URI (RFC 5280
// section 4.2.1.6):
//
//   omnicart:CLUSTER/node/ID    a node
//   omnicart:CLUSTER            the authority of a cluster
namespace omnicart::cluster {

struct identity {
  std::string cluster;
  node_id node = no_node;  // none: the authority

  friend bool operator==(const identity&, const identity&) = default;
};

std::string to_uri(const identity& who);
// Nothing for text that is not exactly what to_uri writes.
std::optional<identity> parse_identity(std::string_view uri);

// Nothing when the certificate has no name of ours, or more than one.
std::optional<identity> identity_of(const X509& certificate);

}  // namespace omnicart::cluster
