#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>

#include "cluster/link/transport.hpp"

namespace omnicart::cluster {

// What waits to be written to one peer: a queue for each channel, within its window. Not
// thread-safe.
//
// Batches are filled in the order of the channels' numbers, so that Raft never waits behind a
// snapshot; each channel has a share of a batch, so that none waits for ever. Snapshots leave only
// against credit.
class outbox {
 public:
  // What a message costs besides its bytes.
  static constexpr std::size_t overhead_bytes = 64;

  explicit outbox(const channel_limits& limits)
      : limits_(limits), credit_(limit_of(channel::snapshot).window_bytes_max) {}

  enum class verdict : std::uint8_t { taken, full, too_long };
  verdict push(channel on, std::string payload);
  // Appends the next frames to `out`; `sequence` is that of the last one. Nothing is appended when
  // nothing may leave.
  void fill(std::string& out, std::uint8_t version, std::uint64_t& sequence);
  // The receiver has consumed so much of the snapshots it got; never more than one window of credit
  // in all.
  void add_credit(std::size_t bytes);
  // True once, when a channel that had refused is half empty again.
  bool has_room_again(channel on);
  // A new connection: nothing waits, and a whole window may be sent.
  void reset();

  std::size_t waiting_bytes() const;

 private:
  struct queue {
    std::deque<std::string> messages;
    std::size_t bytes = 0;  // with overhead
    bool refused = false;
  };
  const channel_limit& limit_of(channel on) const { return limits_[static_cast<std::size_t>(on)]; }
  bool may_leave(channel on, const std::string& message) const;

  channel_limits limits_;
  std::array<queue, channel_count> queues_;
  std::size_t credit_;
};

}  // namespace omnicart::cluster
