#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cluster/link/drop_count.hpp"
#include "cluster/link/transport.hpp"
#include "cluster/replicated_journal.hpp"

namespace omnicart::cluster {

// Raft's messages over the transport's raft channel: those of all groups for one node share frames.
class raft_channel {
 public:
  // A frame is closed when it holds this much; one long entry may pass it.
  static constexpr std::size_t frame_bytes = std::size_t{1} << 20;

  // The transport outlives it.
  explicit raft_channel(transport& net) : net_(net) {}

  // For journal_options::send. What the transport does not take is lost, as Raft allows.
  void send(node_id to, std::vector<shard_message> messages);
  // What comes in goes to the journal, as from the node that the transport knows it is from. Once,
  // before messages can arrive; the journal and this outlive the transport's threads.
  void attach(replicated_journal& log);
  // Frames that did not read, and messages for groups that cannot be; dropped.
  std::uint64_t malformed() const { return malformed_.count(); }

 private:
  transport& net_;
  drop_count malformed_{"a frame of Raft's messages does not read"};
};

}  // namespace omnicart::cluster
