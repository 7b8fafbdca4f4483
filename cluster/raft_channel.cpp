#include "cluster/raft_channel.hpp"

#include <cstdint>
#include <utility>

#include "cluster/raft/message_codec.hpp"

namespace omnicart::cluster {

void raft_channel::send(node_id to, std::vector<shard_message> messages) {
  std::vector<raft::group_message> frame;
  std::size_t bytes = 0;
  const auto close = [&] {
    if (frame.empty()) return;
    net_.send(to, channel::raft, raft::encode_frame(frame));
    frame.clear();
    bytes = 0;
  };
  for (auto& [shard, content] : messages) {
    const auto more = raft::frame_bytes_of(content);
    if (bytes + more > frame_bytes || frame.size() == raft::frame_messages_max) close();
    bytes += more;
    frame.push_back({shard, std::move(content)});
  }
  close();
}

void raft_channel::attach(replicated_journal& log) {
  net_.receive(channel::raft, [this, &log](node_id from, const std::string& bytes) {
    auto frame = raft::decode_frame(bytes);
    if (!frame) return malformed_.note(from, frame.error().detail);
    std::vector<shard_message> messages;
    messages.reserve(frame->size());
    for (auto& [group, content] : *frame) {
      if (group > UINT16_MAX) {  // it must not be taken for another's
        malformed_.note(from, "there is no such group");
        continue;
      }
      content.from = from;
      content.to = net_.self();
      messages.push_back({static_cast<std::uint16_t>(group), std::move(content)});
    }
    log.receive(std::move(messages));
  });
}

}  // namespace omnicart::cluster
