#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/link/transport.hpp"
#include "runtime/base/result.hpp"

// The bytes of a connection:
//
//   frame = length    u32, big-endian: how many bytes follow
//           version   u8: 0 in the handshake, then what was agreed on
//           channel   u8
//           sequence  u64, big-endian: 1 for the first frame of a connection, then one more each
//           payload
//
// A frame out of sequence, of another version or of a length its channel does not allow ends the
// connection.
namespace omnicart::cluster {

inline constexpr std::size_t frame_head_bytes = 14;
inline constexpr std::uint8_t handshake_version = 0;

struct frame {
  channel on = channel::link;
  std::string payload;
};

void append_frame(std::string& out, std::uint8_t version, std::uint64_t sequence, channel on,
                  std::string_view payload);

// Takes frames out of a stream. Memory grows with the bytes that came, never with a length that was
// announced.
class frame_reader {
 public:
  // Begins with the handshake: version 0, frames of the link alone.
  explicit frame_reader(std::size_t handshake_bytes_max);
  // From the next frame on.
  void expect(std::uint8_t version, const channel_limits& limits);

  // Removes from the front of `bytes` what belongs to the next frame, and returns it when it is
  // whole. Refusal: malformed, with what is wrong; then the stream is worth nothing any more.
  result<std::optional<frame>> take(std::string_view& bytes);
  // Bytes of a frame that has begun and is not whole.
  std::size_t held_bytes() const { return head_size_ + payload_.size(); }

 private:
  status check_head();

  std::uint8_t version_ = handshake_version;
  std::array<std::size_t, channel_count> bytes_max_{};
  std::uint64_t sequence_ = 0;  // of the last frame
  std::array<char, frame_head_bytes> head_{};
  std::size_t head_size_ = 0;
  std::size_t length_ = 0;  // of the payload
  channel on_ = channel::link;
  std::string payload_;
  bool refused_ = false;
};

}  // namespace omnicart::cluster
