#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "cluster/link/transport.hpp"
#include "cluster/remote/envelope_format.hpp"
#include "runtime/clock.hpp"
#include "runtime/message.hpp"

namespace omnicart::cluster {

struct remote_receiver_limits {
  std::uint32_t in_flight_per_peer_max = 20'000;  // commands not answered yet
  std::size_t answer_bytes_max =
      default_channel_limits[static_cast<std::size_t>(channel::answer)].frame_bytes_max;
};

struct remote_receiver_counts {
  std::uint64_t commands = 0;
  std::uint64_t malformed = 0;
  std::uint64_t overloaded = 0;    // refused beyond the limit
  std::uint64_t lost_answers = 0;  // the peer was gone, or its window full: it asks again
};

// Hands commands of other nodes to the entities here, and their answers back.
//
// What a peer may claim. The link says which node a message is from; that node is a member, and a
// member runs fronts that check tokens and entities that owe effects. So it speaks for any caller,
// the engine itself (role::system) included: there is nobody else who could vouch for them, and a
// node that lies could as well vote, lead and rewrite its shards' history. What it may not do is
// decided here and in router::entrance(), and never by what a message says: reach a port of this
// node (the payment provider), have a message passed on to a third node, name an unknown role, or
// have more under way than its share. Therefore a node without certificates listens on loopback
// only, and whoever leaves the membership is disconnected at once.
class remote_receiver {
 public:
  // `entrance` is the router's. All outlive this; this outlives the last answer of an entity.
  remote_receiver(transport& net, message_sink& entrance, const clock& time,
                  remote_receiver_limits limits = {},
                  std::span<const envelope_format> formats = envelope_formats());

  // Takes commands from now on. Once, before messages can arrive.
  void attach();
  remote_receiver_counts counts() const;

 private:
  void on_command(node_id from, std::string_view bytes);
  void on_answer(node_id to, std::uint64_t request, const answer& got);
  bool admit(node_id from);

  transport& net_;
  message_sink& entrance_;
  const clock& time_;
  const remote_receiver_limits limits_;
  peer_formats formats_;
  mutable std::mutex guard_;  // answers come from any thread
  std::map<node_id, std::uint32_t> in_flight_;
  remote_receiver_counts counts_;
};

}  // namespace omnicart::cluster
