#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cluster/link/transport.hpp"
#include "cluster/remote/envelope_format.hpp"
#include "runtime/clock.hpp"
#include "runtime/message.hpp"
#include "runtime/placement.hpp"

namespace omnicart::cluster {

struct remote_sender_limits {
  // Requests without an answer, by the node they go to; those that wait for a leader share one
  // more.
  std::uint32_t requests_per_peer_max = 20'000;
  std::size_t bytes_per_peer_max = std::size_t{64} << 20;
  std::size_t command_bytes_max =
      default_channel_limits[static_cast<std::size_t>(channel::command)].frame_bytes_max;
  duration_ms answer_within{10'000};  // beside the caller's own wait; a nearer deadline counts
  duration_ms leader_within{2'000};   // to find somebody who takes it: longer than an election
  duration_ms repeat_after{2'000};    // an answer this late may have been lost
  duration_ms retry_first{2};
  duration_ms retry_most{50};  // what a change of leaders may add to a caller's wait
};

struct remote_sender_counts {
  std::uint64_t requests = 0;    // taken
  std::uint64_t sent = 0;        // commands that left, copies included
  std::uint64_t redirected = 0;  // answered by a node that does not lead
  std::uint64_t repeated = 0;    // sent again because the answer may have been lost
  std::uint64_t overloaded = 0;  // refused beyond a limit
  std::uint64_t unknown = 0;     // ended as unknown_outcome
  std::uint64_t stray = 0;       // answers nobody waits for, or that do not read
  std::size_t waiting = 0;       // requests without an answer now
};

// Sends commands to entities that live on other nodes, so that a reference works the same
// everywhere: the router gives it what this node does not lead (router::set_elsewhere).
//
// Each command is answered once:
//   - by what the leader said. A node that does not lead, or stops, has done nothing, and says who
//     leads if it knows; the command then goes there;
//   - unavailable when nobody took it in time, overloaded beyond a limit, malformed when it is too
//     long to be sent: nothing was done;
//   - unknown_outcome when a copy may have been executed and its answer did not come, or nobody knows any more.
// A command with an id, or marked repeatable, whose answer may be lost (the connection went, or it
// takes too long) is sent again until its time is over; by its proof it is executed once. Others
// are never sent twice unless the first copy is known to have done nothing.
//
// Thread-safe; never blocks. Replies run on the transport's thread, the ticking one, or a local
// entity's.
class remote_sender final : public message_sink {
 public:
  struct parts {
    transport& net;
    const placement& place;
    std::uint16_t shard_count;
    message_sink& entrance;  // the router's: for a shard that became ours meanwhile
    const clock& time;
  };
  // All parts outlive this, and this outlives the last answer of an entity. `first_request`: any
  // number that the node's earlier processes are unlikely to have come near.
  remote_sender(parts with, std::uint64_t first_request, remote_sender_limits limits = {},
                std::span<const envelope_format> formats = envelope_formats());

  // Takes answers from now on. Once, before messages can arrive.
  void attach();
  void send(envelope message) override;
  // Somebody else leads the shard from now on: what waits for that is sent at once. Any thread.
  void leader_changed(std::uint16_t shard);
  // Sends again what is due, gives up what is late. Call every 10 ms or so.
  void tick();
  // Answers everything: what may have been executed as unknown_outcome, the rest as shutting_down.
  // What comes later is answered so at once.
  void stop();
  remote_sender_counts counts() const;

 private:
  enum class stage : std::uint8_t { waiting, out, here };  // here: handed to our own entity
  struct request {
    envelope message;
    std::uint16_t shard = 0;
    stage at = stage::waiting;
    node_id target = 0;   // where the last copy went
    node_id charged = 0;  // whose limits it counts towards
    std::optional<node_id> hint;
    bool doubtful = false;  // a copy may have been executed
    std::optional<duration_ms> first_left;  // monotonic, of any copy
    std::uint32_t tries = 0;
    duration_ms due{0};  // monotonic, as all below: when to look at it again
    duration_ms give_up{0};
    duration_ms find_by{0};  // somebody must have taken it
  };
  struct load {
    std::uint32_t requests = 0;
    std::size_t bytes = 0;
  };
  using request_table = std::unordered_map<std::uint64_t, request>;
  // What is done once the lock is let go.
  struct deed;
  using deeds = std::vector<deed>;

  void on_answer(node_id from, std::string_view bytes);
  void on_change(const peer_change& change);
  void take_answer(node_id from, std::uint64_t number, answer got);

  // With the lock held:
  bool has_room(const load& at, std::size_t bytes) const;
  void note_doubt(request& what) const;
  void place_request(std::uint64_t number, request& what, deeds& later);
  void look_at(std::uint64_t number, request& what, deeds& later);
  void judge(std::uint64_t number, request& what, answer got, deeds& later);
  void wait(std::uint64_t number, request& what);
  bool waits_for(const request& what, node_id peer) const;
  void become(std::uint64_t number, request& what, stage now);
  void be_due(std::uint64_t number, request& what, duration_ms at);
  void charge(request& what, node_id to);
  void finish(std::uint64_t number, answer got, deeds& later);
  void give_up(std::uint64_t number, request& what, deeds& later);
  bool may_repeat(const request& what) const { return what.message.id || what.message.repeatable; }

  void carry_out(deeds& all);
  void not_sent(std::uint64_t number);

  const parts with_;
  const remote_sender_limits limits_;
  peer_formats formats_;
  mutable std::mutex guard_;
  request_table requests_;
  std::set<std::pair<duration_ms, std::uint64_t>> agenda_;  // every request, by when it is due
  std::set<std::pair<std::uint16_t, std::uint64_t>> waiting_;  // those that wait, by shard
  std::map<node_id, load> loads_;
  std::uint64_t next_request_;
  bool stopped_ = false;
  remote_sender_counts counts_;
};

}  // namespace omnicart::cluster
