#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cluster/link/hello.hpp"
#include "cluster/link/link_tls.hpp"
#include "cluster/link/transport.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::cluster {

// Where a peer listens.
struct peer_address {
  node_id node = no_node;
  std::string host;  // a name or an address
  std::uint16_t port = 0;
  std::uint64_t store = 0;  // the store it has to come with; 0: not known, any
};

struct link_options {
  node_id self = no_node;
  std::string cluster;
  std::string address = "127.0.0.1";  // to bind, not a name
  std::uint16_t port = 0;             // 0: a free one
  // Without certificates a link binds and dials loopback only: whoever reaches it is believed.
  std::optional<link_certificates> certificates;

  version_range versions;  // of the envelopes that this build reads and writes
  channel_limits limits = default_channel_limits;
  std::size_t half_open_max = 32;       // accepted connections whose handshake is not over
  duration_ms handshake_within{3'000};  // dialling, and the handshake, each
  duration_ms heartbeat_every{250};
  // Without an echo: longer than a busy machine stalls, shorter than clients wait.
  duration_ms dead_after{1'500};
  // Lines of the log about a certificate that ends soon or has ended.
  duration_ms end_warned_every = std::chrono::hours(24);
  duration_ms redial_first{20};
  duration_ms redial_most{500};  // a node that restarts waits this long for its peers, at most
};

}  // namespace omnicart::cluster
