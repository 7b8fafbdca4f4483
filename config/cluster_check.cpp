#include "config/cluster_check.hpp"

#include <charconv>

#include "config/load.hpp"

namespace omnicart::config {
namespace {

status refuse(const std::string& what) { return fail(base_errc::malformed, what); }

status check_files(const cluster_options& o) {
  const bool all = !o.authority.empty() && !o.certificate.empty() && !o.private_key.empty();
  const bool none = o.authority.empty() && o.certificate.empty() && o.private_key.empty();
  if (all || none) return {};
  return refuse("cluster.authority, cluster.certificate and cluster.private_key go together");
}

}  // namespace

result<named_peer> parse_peer(std::string_view text) {
  const auto at = text.find('@');
  named_peer peer;
  const auto number = text.substr(0, at);
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), peer.node);
  auto where = at == text.npos ? result<host_port>(fail(base_errc::malformed)) : parse_host_port(text.substr(at + 1));
  if (!where || code != std::errc{} || end != number.data() + number.size() || peer.node == 0 || where->port == 0) {
    return fail(base_errc::malformed, "'" + std::string(text) + "' is not ID@HOST:PORT");
  }
  peer.host = std::move(where->host);
  peer.port = static_cast<std::uint16_t>(where->port);
  return peer;
}

status check_cluster(const options& all) {
  const auto& o = all.cluster;
  for (const auto& text : o.peers) {
    if (auto peer = parse_peer(text); !peer) return refuse("cluster.peers: " + peer.error().detail);
  }
  if (!o.advertise.empty()) {
    if (auto where = parse_host_port(o.advertise); !where) return refuse("cluster.advertise: " + where.error().detail);
  }
  if (o.heartbeat_ms * 3 > o.election_timeout_ms) {
    return refuse("cluster.heartbeat_ms is above a third of cluster.election_timeout_ms");
  }
  if (auto files = check_files(o); !files) return files;
  if (o.port < 0) return o.peers.empty() ? status{} : refuse("cluster.peers needs cluster.port");
  if (all.payment.url.empty()) {
    return refuse("cluster.port needs payment.url: all nodes charge at one provider, and each would start its own");
  }
  return {};
}

}  // namespace omnicart::config
