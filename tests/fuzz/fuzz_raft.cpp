#include <string>
#include <string_view>

#include "cluster/copy/copy_frame.hpp"
#include "cluster/raft/membership.hpp"
#include "cluster/raft/message_codec.hpp"
#include "cluster/remote/neighbours.hpp"
#include "tests/fuzz/bodies.hpp"

namespace omnicart::fuzz {
namespace {

void check_frame(std::string_view bytes) {
  const auto read = raft::decode_frame(bytes);
  if (!read) {
    require(read.error().is(base_errc::malformed), "bytes that do not read are malformed");
    return;
  }
  require(!read->empty() && read->size() <= raft::frame_messages_max, "a frame has some messages, and not too many");
  const auto once = raft::encode_frame(*read);
  const auto again = raft::decode_frame(once);
  require(again.has_value(), "what was read is written so that it reads again");
  require(raft::encode_frame(*again) == once, "and as the same bytes");
}

void check_configuration(std::string_view bytes) {
  const auto read = raft::decode_configuration(bytes);
  if (!read) return;
  require(raft::check(*read).has_value(), "who belongs to a group makes sense");
  require(raft::decode_configuration(raft::encode_configuration(*read)) == *read, "it reads as it was written");
}

void check_control(std::string_view bytes) {
  const auto read = cluster::decode_control(bytes);
  if (read) require(cluster::decode_control(cluster::encode(*read)) == *read, "it reads as it was written");
}

void check_copy(std::string_view bytes) {
  const auto read = cluster::decode_copy_frame(bytes);
  if (!read) return;
  const auto once = cluster::encode_copy_frame(*read);
  const auto again = cluster::decode_copy_frame(once);
  require(again.has_value(), "what was read is written so that it reads again");
  require(cluster::encode_copy_frame(*again) == once, "and as the same bytes");
}

}  // namespace

void fuzz_raft(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 4) {
    case 0: return check_frame(bytes);
    case 1: return check_configuration(bytes);
    case 2: return check_control(bytes);
    default: return check_copy(bytes);
  }
}

}  // namespace omnicart::fuzz
