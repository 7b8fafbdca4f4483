#include "cluster/link/link_tls.hpp"

#include <openssl/ssl.h>

#include "cluster/link/certificate_end.hpp"
#include "cluster/link/openssl_ptr.hpp"

namespace omnicart::cluster {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

tl::unexpected<error> unusable(const std::string& file, const std::string& why) {
  return fail(base_errc::io, "cannot use " + file + ": " + why);
}

// Why a certificate of `who` is not this node's.
std::string not_ours(const std::optional<identity>& who, const identity& self) {
  if (!who) return "it names no node of a cluster (omnicartctl cert node makes one that does)";
  if (who->node == no_node) return "it is the certificate of a cluster's authority, not of a node";
  if (who->cluster != self.cluster)
    return "it is for cluster " + who->cluster + ", but cluster.name is " + self.cluster;
  return "it is for node " + std::to_string(who->node) + ", but cluster.node is " +
         std::to_string(self.node);
}

void forbid_old_ways(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
}

}  // namespace

result<std::shared_ptr<asio::ssl::context>> make_link_tls(const link_certificates& files,
                                                          const identity& self) {
  auto made = std::make_shared<asio::ssl::context>(asio::ssl::context::tls);
  error_code failure;
  forbid_old_ways(made->native_handle());
  made->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert, failure);
  if (!failure) made->load_verify_file(files.authority, failure);
  if (failure) return unusable(files.authority, failure.message());
  made->use_certificate_chain_file(files.certificate, failure);
  if (failure) return unusable(files.certificate, failure.message());
  made->use_private_key_file(files.private_key, asio::ssl::context::pem, failure);
  if (failure) return unusable(files.private_key, failure.message());
  if (SSL_CTX_check_private_key(made->native_handle()) != 1) {
    return unusable(files.private_key, "it does not belong to the certificate");
  }
  const X509* const own = SSL_CTX_get0_certificate(made->native_handle());
  const auto who = own ? identity_of(*own) : std::nullopt;
  if (who != self) return unusable(files.certificate, not_ours(who, self));
  return made;
}

timestamp_ms shown_until(asio::ssl::context& made) {
  return end_of(*SSL_CTX_get0_certificate(made.native_handle()));
}

std::optional<identity> peer_of(SSL& connection) {
  const certificate_ptr shown(SSL_get1_peer_certificate(&connection));
  if (!shown || SSL_get_verify_result(&connection) != X509_V_OK) return std::nullopt;
  auto who = identity_of(*shown);
  return who && who->node != no_node ? who : std::nullopt;
}

}  // namespace omnicart::cluster
