#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/link/ending.hpp"
#include "cluster/link/link_options.hpp"

namespace omnicart::cluster {

class link_core;

// What went over the link since it started, for metrics.
struct peer_counts {
  node_id peer = no_node;
  bool up = false;
  std::uint8_t version = 0;    // spoken now or last
  std::uint64_t connects = 0;  // times it came up
  std::uint64_t frames_in = 0, frames_out = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;           // frames, before TLS (out) and after it (in)
  std::array<std::uint64_t, channel_count> refused{};  // by send(): down, full or too long
  std::size_t waiting_bytes = 0;
  std::int64_t round_trip_us = 0;  // of the last heartbeat
};
struct link_counts {
  std::vector<peer_counts> peers;
  std::array<std::uint64_t, ending_count> endings{};  // of all connections, by reason
  std::uint64_t bad_handshakes = 0;                   // those before ending::lost
  std::uint64_t failed_dials = 0;
  std::size_t half_open = 0;
  // Seconds until the certificate in use ends, negative once it has; none without certificates.
  std::optional<std::int64_t> certificate_expires_s;
};

// The link of one node to all others: one connection for each pair of nodes, dialled by the lower
// number, over which everything goes. A thread of its own; every call may come from any thread and
// returns at once.
//
// A peer may say anything that a member of the cluster may say, so who it is rests on its
// certificate alone: signed by the cluster's authority, naming the node, and that node in the
// committed membership.
class node_link final : public transport {
 public:
  // Binds. Faults with one clear line: unavailable (address in use, or no certificates and not
  // loopback), io (a file).
  static result<std::unique_ptr<node_link>> open(link_options options);
  // As stop().
  ~node_link() override;

  // Handlers are in place; peers may come. Once.
  void start();
  // Closes everything and ends the thread, not from a handler. Nothing is called afterwards.
  void stop();

  std::uint16_t port() const;
  // Names our store to those we meet. Before start().
  void set_store(std::uint64_t store);
  // Who there is, self included or not. Those with a higher number are dialled; connections to
  // others are refused, and closed where they are up.
  void set_peers(std::vector<peer_address> peers);
  // Reads the certificate files again, for connections made from now on, and warns in the log
  // when the certificate ends soon, as start() does; then once a day. Fault: io; then nothing
  // changed.
  status reload();
  link_counts counts() const;

  node_id self() const override;
  bool send(node_id to, channel on, std::string bytes) override;
  bool is_up(node_id peer) const override;
  void receive(channel on, message_fn handler) override;
  void watch(change_fn handler) override;
  void when_room(channel on, room_fn handler) override;
  void snapshot_consumed(node_id from, std::size_t bytes) override;

 private:
  explicit node_link(std::unique_ptr<link_core> inner);
  std::unique_ptr<link_core> core_;
};

}  // namespace omnicart::cluster
