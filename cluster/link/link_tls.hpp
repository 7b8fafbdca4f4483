#pragma once

#include <utility>

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "cluster/link/identity.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::cluster {

// PEM files: the cluster's authority, and this node's certificate and key.
struct link_certificates {
  std::string authority, certificate, private_key;
};

// For both ends of a link: TLS 1.3 alone, the peer must show a certificate of the same authority,
// and no session is ever resumed, since that would skip looking at it. The certificate must be this
// node's; whether it has ended is not looked at. Faults: io, naming the file, and cluster.name or
// cluster.node of the configuration where those are another's.
result<std::shared_ptr<boost::asio::ssl::context>> make_link_tls(const link_certificates& files,
                                                                 const identity& self);

// When the certificate that is shown to others ends.
timestamp_ms shown_until(boost::asio::ssl::context& made);

// Who stands at the other end, once the handshake is done; nothing for a certificate that names no
// node of ours.
std::optional<identity> peer_of(SSL& connection);

}  // namespace omnicart::cluster
