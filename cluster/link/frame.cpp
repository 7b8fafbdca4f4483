#include "cluster/link/frame.hpp"

#include <algorithm>
#include <utility>

namespace omnicart::cluster {
namespace {

// The length counts what stands behind it.
constexpr std::size_t length_bytes = 4;
constexpr std::size_t counted_head_bytes = frame_head_bytes - length_bytes;

template <class T>
void append_number(std::string& out, T number) {
  for (std::size_t left = sizeof(T); left > 0; --left)
    out += static_cast<char>(number >> (8 * (left - 1)) & 0xFF);
}

std::uint64_t number_at(const char* bytes, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i)
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

}  // namespace

const char* to_string(channel on) {
  switch (on) {
    case channel::link:
      return "link";
    case channel::raft:
      return "raft";
    case channel::control:
      return "control";
    case channel::answer:
      return "answer";
    case channel::command:
      return "command";
    case channel::snapshot:
      return "snapshot";
  }
  return "";
}

void append_frame(std::string& out, std::uint8_t version, std::uint64_t sequence, channel on,
                  std::string_view payload) {
  append_number(out, static_cast<std::uint32_t>(counted_head_bytes + payload.size()));
  append_number(out, version);
  append_number(out, static_cast<std::uint8_t>(on));
  append_number(out, sequence);
  out += payload;
}

frame_reader::frame_reader(std::size_t handshake_bytes_max) {
  bytes_max_[static_cast<std::size_t>(channel::link)] = handshake_bytes_max;
}

void frame_reader::expect(std::uint8_t version, const channel_limits& limits) {
  version_ = version;
  for (std::size_t i = 0; i < channel_count; ++i) bytes_max_[i] = limits[i].frame_bytes_max;
}

result<std::optional<frame>> frame_reader::take(std::string_view& bytes) {
  if (refused_) return fail(base_errc::malformed, "the stream is broken");
  if (head_size_ < frame_head_bytes) {
    const std::size_t count = std::min(bytes.size(), frame_head_bytes - head_size_);
    std::copy_n(bytes.data(), count, head_.data() + head_size_);
    bytes.remove_prefix(count);
    head_size_ += count;
    if (head_size_ < frame_head_bytes) return std::nullopt;
    if (auto sound = check_head(); !sound) {
      refused_ = true;
      return fail(std::move(sound.error()));
    }
  }
  const std::size_t count = std::min(bytes.size(), length_ - payload_.size());
  payload_.append(bytes.substr(0, count));
  bytes.remove_prefix(count);
  if (payload_.size() < length_) return std::nullopt;
  ++sequence_;
  head_size_ = 0;
  return frame{.on = on_, .payload = std::exchange(payload_, {})};
}

status frame_reader::check_head() {
  const auto bad = [](const char* why) { return fail(base_errc::malformed, why); };
  const std::uint64_t counted = number_at(head_.data(), length_bytes);
  if (number_at(head_.data() + 4, 1) != version_) return bad("a frame of another version");
  const std::uint64_t number = number_at(head_.data() + 5, 1);
  if (number >= channel_count) return bad("an unknown channel");
  if (number_at(head_.data() + 6, 8) != sequence_ + 1) return bad("a frame out of sequence");
  if (counted < counted_head_bytes) return bad("a frame without a head");
  length_ = counted - counted_head_bytes;
  if (length_ > bytes_max_[number]) return bad("a frame longer than its channel allows");
  on_ = static_cast<channel>(number);
  return {};
}

}  // namespace omnicart::cluster
