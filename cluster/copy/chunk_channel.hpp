#pragma once

#include <cstddef>
#include <string>

#include "cluster/node_id.hpp"

namespace omnicart::cluster {

// Carries the pieces of shards that nodes copy from each other, in order and with back-pressure:
// the link's snapshot channel in production. What comes in goes to shard_copier. Thread-safe.
class chunk_channel {
 public:
  virtual ~chunk_channel() = default;
  // False: the peer is down or its window full, and nothing was sent; shard_copier::room() is
  // called when there is room. Messages have at most copy_frame_bytes_max bytes. Never blocks.
  virtual bool send(node_id to, std::string bytes) = 0;
  // What was received from the peer is in the store: as much may follow.
  virtual void consumed(node_id from, std::size_t bytes) = 0;
};

}  // namespace omnicart::cluster
