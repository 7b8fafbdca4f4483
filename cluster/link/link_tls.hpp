#pragma once

#include <utility>

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "cluster/link/identity.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::cluster {

// PEM files: the cluster's authority, and this node's certificate and key.
struct link_certificates {
  std::string authority, certificate, private_key;
};

// For both ends of a link: TLS 1.3 alone, the peer must show a certificate of the same authority,
// and no session is ever resumed, since that would skip looking at it. The certificate must be this
// node's. Faults: io, naming the file.
result<std::shared_ptr<boost::asio::ssl::context>> make_link_tls(const link_certificates& files,
                                                                 const identity& self);

// Who stands at the other end, once the handshake is done; nothing for a certificate that names no
// node of ours.
std::optional<identity> peer_of(SSL& connection);

}  // namespace omnicart::cluster
