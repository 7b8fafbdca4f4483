#pragma once

#include <cstdint>
#include <mutex>
#include <set>

#include "cluster/link/transport.hpp"

namespace omnicart::cluster {

// A transport as it is without strangers: what nodes say that were not admitted is dropped and
// counted. Peers that only the configuration names are strangers until the cluster's record has
// them: they are connected, so that Raft's messages and snapshots of shards, which go past this,
// can bring the record up to date; commands, answers and talk wait for it, and so do copies of
// shards for them (has()). Thread-safe, as transport says.
class members_only final : public transport {
 public:
  // `net` outlives it.
  explicit members_only(transport& net) : net_(net) {}

  // From now on these and nobody else; nobody before the first call.
  void admit(std::set<node_id> members);
  // Whether the node was admitted.
  bool has(node_id member) const;
  std::uint64_t dropped() const;

  node_id self() const override { return net_.self(); }
  bool send(node_id to, channel on, std::string bytes) override {
    return net_.send(to, on, std::move(bytes));
  }
  bool is_up(node_id peer) const override { return net_.is_up(peer); }
  void receive(channel on, message_fn handler) override;
  void watch(change_fn handler) override { net_.watch(std::move(handler)); }
  void when_room(channel on, room_fn handler) override { net_.when_room(on, std::move(handler)); }
  void snapshot_consumed(node_id from, std::size_t bytes) override {
    net_.snapshot_consumed(from, bytes);
  }

 private:
  bool let_in(node_id from);

  transport& net_;
  mutable std::mutex guard_;
  std::set<node_id> members_;
  std::uint64_t dropped_ = 0;
};

}  // namespace omnicart::cluster
