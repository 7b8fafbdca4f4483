#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "cluster/node_id.hpp"

namespace omnicart::cluster {

// What travels between two nodes, each kind with a window of its own. Numbers are sent, so they are
// never reused.
enum class channel : std::uint8_t {
  link = 0,  // the link's own: greetings, heartbeats, credit. Not for users of a transport
  raft = 1,
  control = 2,  // the cluster's small talk: joins, clocks
  answer = 3,
  command = 4,
  snapshot = 5,  // chunks; sent only as fast as the receiver says it has consumed them
};
inline constexpr std::size_t channel_count = 6;

const char* to_string(channel on);

struct channel_limit {
  // Of one message; a longer one is refused by the sender and ends the connection at the receiver.
  std::size_t frame_bytes_max = 0;
  std::size_t window_bytes_max = 0;  // waiting for one peer; 64 bytes are added for each message
};

// By channel. A peer that does not read costs at most the sum of its windows.
using channel_limits = std::array<channel_limit, channel_count>;
inline constexpr channel_limits default_channel_limits{{
    {1024, 64 * 1024},
    {std::size_t{4} << 20, std::size_t{16} << 20},
    {64 * 1024, std::size_t{1} << 20},
    {std::size_t{16} << 20, std::size_t{32} << 20},  // the largest cart or order in one piece
    {std::size_t{8} << 20, std::size_t{16} << 20},
    {512 * 1024, std::size_t{2} << 20},
}};

struct peer_change {
  node_id peer = no_node;
  bool up = false;
  std::uint64_t boot = 0;    // of the peer's process: another one has forgotten what it was doing
  std::uint8_t version = 0;  // the protocol both speak
};

// Carries messages to other nodes: the link in production, a virtual network under simulation.
// Whoever receives knows the sender for certain; nothing inside a message can change that.
//
// A message that send() took is delivered once or not at all, in order with others of its channel.
// What waits when a peer goes down is gone. Thread-safe; handlers run on the transport's thread,
// one at a time, and must not block.
class transport {
 public:
  using message_fn = std::function<void(node_id from, std::string bytes)>;
  using change_fn = std::function<void(const peer_change&)>;
  using room_fn = std::function<void(node_id)>;

  virtual ~transport() = default;
  virtual node_id self() const = 0;

  // False: the peer is down, its window is full, or the message is too long; nothing was sent.
  // Never blocks.
  //
  // Raft's messages are refused when the window is full, like all others, rather than pushing out
  // the oldest: what already waits is a run of entries the follower can use, what comes behind a
  // gap it must reject, and the sender learns at once that it has to slow down.
  virtual bool send(node_id to, channel on, std::string bytes) = 0;
  virtual bool is_up(node_id peer) const = 0;

  // Handlers are given before messages can arrive, one for each channel; any number may watch peers
  // come and go. The change to "up" comes before the first message, that to "down" after the last.
  virtual void receive(channel on, message_fn handler) = 0;
  virtual void watch(change_fn handler) = 0;
  // Called once when the window of a channel that had refused a message for want of room is half
  // empty.
  virtual void when_room(channel on, room_fn handler) = 0;

  // Whoever receives snapshots says what of it is written; as much may then follow. A sender never
  // has more of it underway than the channel's window.
  virtual void snapshot_consumed(node_id from, std::size_t bytes) = 0;
};

}  // namespace omnicart::cluster
