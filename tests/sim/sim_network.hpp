#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/link/transport.hpp"
#include "tests/sim/timeline.hpp"
#include "tests/sim/toll.hpp"

namespace omnicart::sim {

// How bad the network is, in percent of the messages.
struct weather {
  std::uint32_t lost = 0;
  std::uint32_t doubled = 0;  // Raft's only: of others the link keeps count
  std::uint32_t late = 0;     // these overtake nobody of their channel, but Raft's do
  std::uint32_t crowded = 0;  // not taken, as if the window were full
  duration_ms delay_max{3};
  duration_ms late_max{400};
};

// The links between nodes in virtual time. A connection comes about when both ends run and hear
// each other, and ends when one end stops, when it is broken, or, as the real link's does, some
// time after one direction has gone silent; what was under way goes with it. Raft's messages are
// treated worse than the transport promises: lost, doubled and overtaken while the connection
// stands.
class sim_network {
 public:
  class port;

  explicit sim_network(timeline& time) : time_(time) {}
  ~sim_network();

  // The node's end, for as long as the network lives.
  port& join(node_id node);
  // Handlers of an earlier life are forgotten; the others are dialled.
  void boot(node_id node);
  // The process ended. With the machine, nobody is told: the others notice by the silence.
  enum class ending : std::uint8_t { process, machine };
  void end(node_id node, ending how);

  // The process stands still, by the timeline: what comes for it waits, and the others notice by
  // the silence. Then it goes on.
  void stands_still(node_id node);
  void goes_on(node_id node) { dial_all(node); }

  // Nothing goes from the one to the other. Several cuts of one pair count as one; false: it was
  // cut before, or there is no such way.
  bool cut(node_id from, node_id to);
  void heal();
  // The connection breaks, and is made anew. False: there was none.
  bool break_line(node_id one, node_id other);
  void set_weather(const weather& now) { weather_ = now; }

  // What became of messages.
  const toll& taken() const { return taken_; }

 private:
  friend class port;
  struct flight {
    std::uint64_t line = 0;
    std::string bytes;
  };
  // One direction of a pair.
  struct lane {
    bool up = false;  // as the receiver, at its end, sees it
    std::array<std::deque<flight>, cluster::channel_count> under_way;
    std::array<duration_ms, cluster::channel_count> last_due{};
    std::size_t chunk_bytes = 0;  // sent, and not consumed
    bool refused_chunk = false;
  };
  using pair = std::pair<node_id, node_id>;

  static pair ordered(node_id a, node_id b) { return {std::min(a, b), std::max(a, b)}; }
  lane& at(node_id from, node_id to) { return lanes_[{from, to}]; }
  bool silent(node_id a, node_id b) const;
  bool send(node_id from, node_id to, cluster::channel on, std::string bytes);
  void send_raft(node_id from, node_id to, const flight& what);
  void travel(node_id from, node_id to, cluster::channel on, duration_ms delay);
  bool stands(node_id from, node_id to, std::uint64_t line);
  void arrive(node_id from, node_id to, cluster::channel on, flight what);
  void consumed(node_id from, node_id to, std::size_t bytes);
  void dial(node_id a, node_id b);
  void dial_all(node_id node);
  void connect(node_id a, node_id b);
  void await_silence(node_id a, node_id b);
  void lose(node_id from, node_id to, duration_ms after);
  void drop(node_id from, node_id to, std::uint64_t line);
  duration_ms draw_delay();

  timeline& time_;
  weather weather_;
  toll taken_;
  std::map<node_id, std::unique_ptr<port>> ports_;
  std::map<pair, lane> lanes_;           // by sender and receiver
  std::map<pair, std::uint64_t> lines_;  // the number of a pair's connection
  std::set<pair> cuts_;
  std::set<node_id> alive_;
};

class sim_network::port final : public cluster::transport {
 public:
  port(sim_network& net, node_id self) : net_(net), self_(self) {}

  node_id self() const override { return self_; }
  bool send(node_id to, cluster::channel on, std::string bytes) override {
    return net_.send(self_, to, on, std::move(bytes));
  }
  bool is_up(node_id peer) const override { return net_.at(peer, self_).up; }
  void receive(cluster::channel on, message_fn handler) override {
    handlers_[static_cast<std::size_t>(on)] = std::move(handler);
  }
  void watch(change_fn handler) override { watchers_.push_back(std::move(handler)); }
  void when_room(cluster::channel on, room_fn handler) override {
    if (on == cluster::channel::snapshot) room_ = std::move(handler);
  }
  void snapshot_consumed(node_id from, std::size_t bytes) override {
    net_.consumed(from, self_, bytes);
  }

 private:
  friend class sim_network;
  void forget();
  void tell(node_id peer, bool up);

  sim_network& net_;
  const node_id self_;
  std::uint64_t boot_ = 0;
  std::array<message_fn, cluster::channel_count> handlers_;
  std::vector<change_fn> watchers_;
  room_fn room_;
};

}  // namespace omnicart::sim
