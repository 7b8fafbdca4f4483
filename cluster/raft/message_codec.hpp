#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/raft/types.hpp"
#include "runtime/base/result.hpp"

// What one node sends another in one piece: the messages of many groups. The layout, in msgpack:
//
//   frame   = [schema 1, [from, to, [[group, kind, body]...]]]
//   kind    = position in message_body;  body = array of its fields in their order in types.hpp
//   entries = [[term, type, bin]...]: their indexes follow from prev_index;  time = milliseconds;
//   members = [[node, role]...]
//
// A later build may put more fields at the end of each array, and they are skipped; it may not
// reorder.
namespace omnicart::raft {

using group_id = std::uint32_t;  // a shard, or a group of the cluster's own

inline constexpr std::size_t frame_bytes_max = 16 << 20;
inline constexpr std::size_t frame_messages_max = 4096;

struct group_message {
  group_id group = 0;
  message content;  // from and to are the frame's
};

// `messages` must all go from one node to another, and there must be at least one.
std::string encode_frame(const std::vector<group_message>& messages);

// Refusal base_errc::malformed: too long, no frame, another schema, too many messages, a kind that
// is not known, numbers that do not fit. Whether a message makes sense is raft_group::receive's to
// say. Never throws.
result<std::vector<group_message>> decode_frame(std::string_view bytes);

// How many bytes the message adds to a frame, at most; so that a frame can be closed in time.
std::size_t frame_bytes_of(const message& m);

}  // namespace omnicart::raft
