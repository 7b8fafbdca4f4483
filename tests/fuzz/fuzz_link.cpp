#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/link/frame.hpp"
#include "cluster/link/hello.hpp"
#include "tests/fuzz/bodies.hpp"

namespace omnicart::fuzz {
namespace {

using namespace cluster;

constexpr std::size_t greeting_bytes_max = 512;

struct reading {
  std::vector<frame> frames;
  bool refused = false;
};

// The stream in pieces of this size: frames up to the first fault. After the first frame the
// handshake is over, if so wished.
reading read(std::string_view bytes, std::size_t piece, bool then_up) {
  reading got;
  frame_reader reader(greeting_bytes_max);
  for (std::size_t at = 0; at < bytes.size() && !got.refused; at += piece) {
    std::string_view left = bytes.substr(at, piece);
    while (true) {
      auto next = reader.take(left);
      require(reader.held_bytes() <= frame_head_bytes + bytes.size(), "memory follows what came");
      if (!next) {
        require(next.error().is(base_errc::malformed), "a stream that breaks a rule is malformed");
        require(!reader.take(left).has_value(), "and stays so");
        got.refused = true;
        break;
      }
      if (!*next) {
        require(left.empty(), "all is taken while no frame is whole");
        break;
      }
      got.frames.push_back(std::move(**next));
      if (then_up && got.frames.size() == 1) reader.expect(1, default_channel_limits);
    }
  }
  return got;
}

void check_stream(std::string_view bytes, bool then_up) {
  const reading whole = read(bytes, bytes.size(), then_up);
  const reading by_byte = read(bytes, 1, then_up);
  require(whole.refused == by_byte.refused, "pieces change nothing");
  require(whole.frames.size() == by_byte.frames.size(), "nor how many frames there are");
  std::string again;
  for (std::size_t i = 0; i < whole.frames.size(); ++i) {
    const frame& each = whole.frames[i];
    require(each.payload == by_byte.frames[i].payload, "nor what is in them");
    const bool up = then_up && i > 0;
    const std::size_t most =
        up ? default_channel_limits[static_cast<std::size_t>(each.on)].frame_bytes_max
           : greeting_bytes_max;
    require(each.payload.size() <= most, "no frame is longer than its channel allows");
    append_frame(again, up ? 1 : handshake_version, i + 1, each.on, each.payload);
  }
  require(bytes.starts_with(again), "frames are written as they were read");
}

void check_message(std::string_view bytes) {
  const auto message = decode_link_message(bytes);
  if (!message) {
    require(message.error().is(base_errc::malformed), "bytes that do not read are malformed");
    return;
  }
  const auto again = decode_link_message(encode(*message));
  require(again && *again == *message, "what was read is written so that it reads again");
  if (const auto* said = std::get_if<hello>(&*message)) {
    require(said->node != no_node && is_cluster_id(said->cluster),
            "a greeting names a node of a cluster");
    const auto common = common_version({1, 3}, said->versions);
    require(!common || (*common >= said->versions.min && *common <= said->versions.max),
            "both speak what is common");
  }
}

}  // namespace

void fuzz_link(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 3) {
    case 0:
      return check_stream(bytes, false);
    case 1:
      return check_stream(bytes, true);
    default:
      return check_message(bytes);
  }
}

}  // namespace omnicart::fuzz
