#include "cluster/raft/message_codec.hpp"

#include <cstring>
#include <memory>
#include <utility>

#include "cluster/raft/membership.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/base/codec.hpp"

namespace omnicart::raft {
namespace {

using codec::packer;

constexpr std::uint32_t schema = 1;

template <class... T>
void pack_array(packer& out, const T&... fields) {
  out.pack_array(sizeof...(fields));
  (codec::pack(out, fields), ...);
}

void pack_body(packer& out, const vote_request& v) {
  pack_array(out, v.term, v.last_index, v.last_term, v.disrupt_leader, v.pre_vote);
}

void pack_body(packer& out, const vote_result& v) {
  pack_array(out, v.term, v.granted, v.pre_vote);
}

void pack_body(packer& out, const append_request& a) {
  out.pack_array(6);
  codec::pack(out, a.term);
  codec::pack(out, a.prev_index);
  codec::pack(out, a.prev_term);
  codec::pack(out, a.leader_commit);
  codec::pack(out, a.sent_at);
  out.pack_array(static_cast<std::uint32_t>(a.entries.size()));
  for (const auto& e : a.entries) {
    out.pack_array(3);
    codec::pack(out, e.term);
    codec::pack(out, e.type);
    if (e.bytes) {
      codec::pack(out, *e.bytes);
    } else {
      out.pack_nil();
    }
  }
}

void pack_body(packer& out, const append_result& a) {
  pack_array(out, a.term, a.rejected, a.last_index, a.echo);
}

void pack_body(packer& out, const install_request& i) { pack_array(out, i.term, i.snapshot); }

void pack_body(packer& out, const timeout_now& t) {
  pack_array(out, t.term, t.last_index, t.last_term);
}

// The fields in turn; false when there are fewer, or one does not fit.
template <class... T>
bool unpack_array(const msgpack::object& in, T&... fields) {
  if (in.type != msgpack::type::ARRAY || in.via.array.size < sizeof...(fields)) return false;
  std::uint32_t at = 0;
  return (codec::unpack(in.via.array.ptr[at++], fields) && ...);
}

bool unpack_body(const msgpack::object& in, vote_request& v) {
  return unpack_array(in, v.term, v.last_index, v.last_term, v.disrupt_leader, v.pre_vote);
}

bool unpack_body(const msgpack::object& in, vote_result& v) {
  return unpack_array(in, v.term, v.granted, v.pre_vote);
}

bool unpack_entry(const msgpack::object& in, log_entry& e) {
  if (in.type != msgpack::type::ARRAY || in.via.array.size < 3) return false;
  const auto* fields = in.via.array.ptr;
  if (!codec::unpack(fields[0], e.term) || !codec::unpack(fields[1], e.type)) return false;
  if (fields[2].type == msgpack::type::NIL) return true;
  std::string_view text;
  if (!codec::unpack_text(fields[2], text)) return false;
  e.bytes = std::make_shared<const std::string>(text);
  return true;
}

bool unpack_body(const msgpack::object& in, append_request& a) {
  if (!unpack_array(in, a.term, a.prev_index, a.prev_term, a.leader_commit, a.sent_at))
    return false;
  if (in.via.array.size < 6 || in.via.array.ptr[5].type != msgpack::type::ARRAY) return false;
  const auto& entries = in.via.array.ptr[5].via.array;
  a.entries.resize(entries.size);
  for (std::uint32_t i = 0; i < entries.size; ++i) {
    a.entries[i].index = a.prev_index + 1 + i;
    if (!unpack_entry(entries.ptr[i], a.entries[i])) return false;
  }
  return true;
}

bool unpack_body(const msgpack::object& in, append_result& a) {
  return unpack_array(in, a.term, a.rejected, a.last_index, a.echo);
}

bool unpack_body(const msgpack::object& in, install_request& i) {
  return unpack_array(in, i.term, i.snapshot);
}

bool unpack_body(const msgpack::object& in, timeout_now& t) {
  return unpack_array(in, t.term, t.last_index, t.last_term);
}

template <std::size_t I = 0>
bool unpack_kind(std::uint64_t kind, const msgpack::object& in, message_body& body) {
  if constexpr (I == std::variant_size_v<message_body>) {
    return false;
  } else {
    return kind == I ? unpack_body(in, body.emplace<I>()) : unpack_kind<I + 1>(kind, in, body);
  }
}

bool unpack_message(const msgpack::object& in, group_message& m) {
  std::uint64_t kind = 0;
  return unpack_array(in, m.group, kind) && in.via.array.size >= 3 &&
         unpack_kind(kind, in.via.array.ptr[2], m.content.body);
}

}  // namespace

std::string encode_frame(const std::vector<group_message>& messages) {
  ensure(!messages.empty() && messages.size() <= frame_messages_max,
         "a frame has messages, not too many");
  msgpack::sbuffer buffer(1024);
  packer out(buffer);
  out.pack_array(2);
  out.pack_uint32(schema);
  out.pack_array(3);
  codec::pack(out, messages.front().content.from);
  codec::pack(out, messages.front().content.to);
  out.pack_array(static_cast<std::uint32_t>(messages.size()));
  for (const auto& m : messages) {
    out.pack_array(3);
    codec::pack(out, m.group);
    codec::pack(out, std::uint64_t{m.content.body.index()});
    std::visit([&](const auto& body) { pack_body(out, body); }, m.content.body);
  }
  return {buffer.data(), buffer.size()};
}

result<std::vector<group_message>> decode_frame(std::string_view bytes) {
  if (bytes.size() > frame_bytes_max) return malformed("the frame is too long");
  const auto frame = codec::parse_message(bytes);
  if (!frame) return fail(frame.error());
  if (frame->schema != schema) return malformed("the frame's schema is not known here");
  node_id from = 0;
  node_id to = 0;
  if (!unpack_array(*frame->value, from, to)) return malformed("not a frame");
  const auto& fields = frame->value->via.array;
  if (fields.size < 3 || fields.ptr[2].type != msgpack::type::ARRAY) return malformed("not a frame");
  const auto& list = fields.ptr[2].via.array;
  if (list.size == 0 || list.size > frame_messages_max) return malformed("no messages, or too many");
  std::vector<group_message> messages(list.size);
  for (std::uint32_t i = 0; i < list.size; ++i) {
    messages[i].content.from = from;
    messages[i].content.to = to;
    if (!unpack_message(list.ptr[i], messages[i])) return malformed("not a message");
  }
  return messages;
}

std::size_t frame_bytes_of(const message& m) {
  constexpr std::size_t fixed = 80;  // seven numbers of nine bytes, and the arrays around them
  if (const auto* append = std::get_if<append_request>(&m.body)) {
    std::size_t bytes = fixed;
    for (const auto& e : append->entries) bytes += 17 + (e.bytes ? e.bytes->size() : 0);
    return bytes;
  }
  const auto* install = std::get_if<install_request>(&m.body);
  return fixed + (install != nullptr ? 12 * install->snapshot.members.servers.size() : 0);
}

}  // namespace omnicart::raft
