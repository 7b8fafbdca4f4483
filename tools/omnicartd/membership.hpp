#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cluster/placement/next_step.hpp"
#include "cluster/placement/plan.hpp"
#include "cluster/placement/transfer_pauses.hpp"
#include "cluster/replicated_journal.hpp"
#include "config/options.hpp"
#include "http/access_token.hpp"
#include "http/signing_keys.hpp"
#include "runtime/id_source.hpp"
#include "runtime/message.hpp"
#include "tools/omnicartd/peers.hpp"
#include "tools/omnicartd/record_watch.hpp"

namespace omnicart::node {

// What this node does for the cluster, a small step at each tick, from its copy of the record: founds it when it is the
// first, lets members in, takes over the signing keys, and moves the shards that it leads towards where the record wants
// them. Where the record's own group is led, it also plans where that is.
class membership {
 public:
  struct parts {
    const config::options& options;
    const clock& time;
    id_source& ids;
    cluster::replicated_journal& log;
    entity_store& store;
    message_sink& entities;
    http::access_tokens& tokens;
    peers* others;  // null: a node that stays alone
    std::uint16_t shard_count;
    std::uint64_t store_identity;  // persistence/store_identity.hpp
  };
  // All outlive it. `first_keys`: signed with until the record says otherwise, and those of a cluster founded here.
  membership(parts with, const http::token_keys& first_keys);

  // Called by the journal (journal_options::committed); any thread.
  void committed(const persistence::committed_batch& batch) { watch_.committed(batch); }
  void replaced(std::uint16_t group) { watch_.replaced(group); }

  // Takes over what is stored of the record: before others are heard, of whom only members are believed. Waits for the read.
  void look();
  // The first node of a cluster waits here until its record is written. Fault: unavailable, when it was not.
  status start();
  // Every 20 ms or so, by one thread.
  void tick();
  // Where this node serves, for the record; any thread.
  void serve_at(std::string http, std::string operators);
  // How long a node has not been within reach, as far as this one has looked. Any thread.
  duration_ms silent_for(node_id node) const;
  // From now on nothing is planned or moved here. Who did not take over a lead before is asked again: there is little time.
  void stop() {
    stopped_ = true;
    pauses_->forget();
  }
  // Gives away what this node leads, to whoever can take it. True: nothing is left to give.
  bool hand_over();

  std::shared_ptr<const cluster_record::record> record() const { return watch_.now(); }
  // Of record(), or an older one when that was asked for later: a command's expected version.
  std::uint64_t record_version() const { return watch_.version(); }
  // A signing key that may follow those of the record; any thread.
  cluster_record::signing_key next_key(http::refresh_half refresh) const;
  // A stored record does not read: others, whose copies are whole, lead from now on. Any thread.
  void met_damage(const error& what);
  // Where clients reach a node; empty: not known, or an address for all interfaces, of which no client knows more. Any thread.
  std::string http_of(node_id node) const;
  // An operator wants this node to give away what it holds.
  bool is_draining() const;
  // It leads nothing while its clock is far from the others'.
  bool clock_is_off() const { return clock_is_off_; }
  // Why it leads nothing, or soon will not. Any thread.
  cluster::unfitness unfit() const {
    return {.damaged = is_damaged_, .disk_low = disk_is_low_, .clock_off = clock_is_off_, .stopping = stopped_};
  }

 private:
  // How the node is to be found, as it knows itself.
  cluster_record::node self() const;
  void found();
  void take_over_record();
  void use_keys(const cluster_record::record& now);
  void heed_clock();
  void heed_disk();
  void tell_fitness();
  void tell_addresses(const cluster_record::record& now);
  void tend_shards(const cluster_record::record& now);
  cluster::shard_wish wish_of(const cluster_record::record& now, std::uint16_t shard) const;
  void take(std::uint16_t shard, const cluster::shard_step& step);
  bool may_lead(std::uint16_t shard, node_id node) const;
  // To be called with how a transfer ended; any thread.
  std::function<void(const status&)> note_transfer(std::uint16_t shard, node_id node) const;
  bool is_reachable(node_id node) const;
  bool is_settled(node_id node) const;
  void plan_placement(const cluster_record::record& now);
  cluster::plan_input plan_input_of(const cluster_record::record& now, const std::vector<cluster::replica_view>& views);
  void rotate_keys(const cluster_record::record& now);
  void send(cluster_record::command what, std::optional<std::uint64_t> version = {});

  const parts with_;
  const node_id self_;
  const std::uint16_t group_;
  http::token_keys first_keys_;
  record_watch watch_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> clock_is_off_{false};
  std::atomic<bool> is_damaged_{false};
  std::atomic<bool> disk_is_low_{false};
  std::shared_ptr<std::atomic<int>> under_way_ = std::make_shared<std::atomic<int>>(0);  // commands to the record
  std::shared_ptr<std::atomic<int>> steps_ = std::make_shared<std::atomic<int>>(0);      // shards being moved from here
  std::shared_ptr<cluster::transfer_pauses> pauses_ = std::make_shared<cluster::transfer_pauses>();
  void note_reached(const cluster_record::record& now);
  mutable std::mutex guard_;  // of what follows
  struct contact {
    duration_ms last{};                   // when it was within reach
    std::optional<duration_ms> up_since;  // from when on without a break, if it is
  };
  std::map<node_id, contact> contacts_;
  std::string http_, operators_;
  duration_ms next_plan_{0}, next_keys_{0};
  cluster::unfitness said_;  // to the others, by tick()
};

}  // namespace omnicart::node
