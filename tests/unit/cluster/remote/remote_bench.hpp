#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/remote/remote_receiver.hpp"
#include "cluster/remote/remote_sender.hpp"
#include "tests/unit/runtime/bench_node.hpp"

// Nodes of a cluster in one thread: production routers and hosts, with a network that a test
// delivers by hand.
namespace omnicart::cluster::test {

using omnicart::test::bench_node;

class virtual_net {
 public:
  struct flight {
    node_id from, to;
    channel on;
    std::string bytes;
  };

  class port final : public transport {
   public:
    port(virtual_net& net, node_id self) : net_(net), self_(self) {}
    node_id self() const override { return self_; }
    bool send(node_id to, channel on, std::string bytes) override {
      if (!is_up(to) || net_.full.contains({self_, to})) return false;
      net_.flying.push_back({self_, to, on, std::move(bytes)});
      return true;
    }
    bool is_up(node_id peer) const override {
      return peer != self_ && !net_.cut.contains(std::minmax(self_, peer));
    }
    void receive(channel on, message_fn handler) override { handlers[on] = std::move(handler); }
    void watch(change_fn handler) override { watchers.push_back(std::move(handler)); }
    void when_room(channel, room_fn) override {}
    void snapshot_consumed(node_id, std::size_t) override {}

    std::map<channel, message_fn> handlers;
    std::vector<change_fn> watchers;

   private:
    virtual_net& net_;
    node_id self_;
  };

  // The connection ends: what is under way between the two is gone.
  void break_link(node_id a, node_id b) {
    cut.insert(std::minmax(a, b));
    std::erase_if(flying,
                  [&](const flight& f) { return std::minmax(f.from, f.to) == std::minmax(a, b); });
    tell(a, b, false);
  }
  void mend_link(node_id a, node_id b) {
    cut.erase(std::minmax(a, b));
    tell(a, b, true);
  }
  // False: nothing was under way.
  bool deliver_one() {
    if (flying.empty()) return false;
    flight next = std::move(flying.front());
    flying.pop_front();
    if (lose && lose(next)) return true;
    ++delivered;
    ports.at(next.to)->handlers.at(next.on)(next.from, std::move(next.bytes));
    return true;
  }

  std::map<node_id, port*> ports;
  std::deque<flight> flying;
  std::set<std::pair<node_id, node_id>> cut;
  std::set<std::pair<node_id, node_id>> full;  // from, to: the window takes nothing
  std::function<bool(const flight&)> lose;
  std::uint64_t delivered = 0;
  std::map<node_id, std::uint8_t> speaks;  // the highest version that a node knows; 1 unless said otherwise

 private:
  void tell(node_id a, node_id b, bool up) {
    for (const auto& [at, peer] : {std::pair{a, b}, std::pair{b, a}}) {
      for (const auto& each : ports.at(at)->watchers)
        each({.peer = peer, .up = up, .boot = peer, .version = std::min(version_of(a), version_of(b))});
    }
  }
  std::uint8_t version_of(node_id node) const {
    const auto known = speaks.find(node);
    return known == speaks.end() ? std::uint8_t{1} : known->second;
  }
};

// Who leads by one node's own knowledge, the same for all shards unless said otherwise.
struct opinion final : placement {
  explicit opinion(node_id s) : self(s) {}
  bool leads(std::uint16_t shard) const override { return leader(shard) == self; }
  std::uint64_t term(std::uint16_t) const override { return 1; }
  std::optional<node_id> leader(std::uint16_t shard) const override {
    const auto at = of_shard.find(shard);
    return at == of_shard.end() ? of_all : at->second;
  }
  node_id self;
  std::optional<node_id> of_all;
  std::map<std::uint16_t, std::optional<node_id>> of_shard;
};

struct member {
  member(virtual_net& net, node_id self, remote_sender_limits sending,
         remote_receiver_limits taking, std::span<const envelope_format> formats = envelope_formats())
      : knows(self),
        port(net, self),
        node({}, &knows),
        sender({.net = port,
                .place = knows,
                .shard_count = 64,
                .entrance = node.routes->entrance(),
                .time = node.time},
               self * 1'000'000, sending, formats),
        receiver(port, node.routes->entrance(), node.time, taking, formats) {
    net.ports[self] = &port;
    node.routes->set_elsewhere(sender);
    sender.attach();
    receiver.attach();
  }

  opinion knows;
  virtual_net::port port;
  bench_node node;
  remote_sender sender;
  remote_receiver receiver;
};

struct small_cluster {
  explicit small_cluster(remote_sender_limits sending = {}, remote_receiver_limits taking = {}) {
    for (node_id id = 1; id <= 3; ++id)
      members.push_back(std::make_unique<member>(net, id, sending, taking));
    everybody_follows(2);
  }
  ~small_cluster() {
    net.lose = nullptr;
    for (auto& each : members) each->sender.stop();
  }

  member& at(node_id id) { return *members[id - 1]; }
  void everybody_follows(std::optional<node_id> leader) {
    for (auto& each : members) each->knows.of_all = leader;
  }
  // Until nothing moves, without time passing.
  void settle() {
    bool moved = true;
    while (moved) {
      moved = net.deliver_one();
      for (auto& each : members) {
        moved = moved || !each->node.messages.empty() || !each->node.log.queue.empty();
        each->node.settle();
      }
    }
  }
  void pass(duration_ms span) {
    for (duration_ms left = span; left > duration_ms{0}; left -= duration_ms{10}) {
      for (auto& each : members) {
        each->node.pass(duration_ms{10});
        each->sender.tick();
      }
      settle();
    }
  }

  virtual_net net;
  std::vector<std::unique_ptr<member>> members;
};

}  // namespace omnicart::cluster::test
