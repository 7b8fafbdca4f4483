#pragma once

#include <string>
#include <utility>

#include "cluster/copy/shard_copier.hpp"
#include "cluster/link/transport.hpp"

namespace omnicart::cluster {

// Copies of shards over the link's snapshot channel. The transport outlives it.
class link_chunks final : public chunk_channel {
 public:
  explicit link_chunks(transport& link) : link_(link) {}

  // Before messages can arrive. The copier outlives the transport's threads.
  void attach(shard_copier& copier) {
    link_.receive(channel::snapshot, [&copier](node_id from, std::string bytes) {
      copier.received(from, std::move(bytes));
    });
    link_.when_room(channel::snapshot, [&copier](node_id peer) { copier.room(peer); });
    link_.watch([&copier](const peer_change& change) {
      if (!change.up) copier.peer_down(change.peer);
    });
  }

  bool send(node_id to, std::string bytes) override {
    return link_.send(to, channel::snapshot, std::move(bytes));
  }
  void consumed(node_id from, std::size_t bytes) override { link_.snapshot_consumed(from, bytes); }

 private:
  transport& link_;
};

}  // namespace omnicart::cluster
