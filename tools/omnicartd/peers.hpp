#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/copy/link_chunks.hpp"
#include "cluster/copy/shard_copier.hpp"
#include "cluster/link/node_link.hpp"
#include "cluster/raft_channel.hpp"
#include "cluster/remote/current_lists.hpp"
#include "cluster/remote/members_only.hpp"
#include "cluster/remote/named_commands.hpp"
#include "cluster/remote/neighbours.hpp"
#include "cluster/remote/remote_receiver.hpp"
#include "cluster/remote/remote_sender.hpp"
#include "cluster/replicated_journal.hpp"
#include "config/options.hpp"
#include "runtime/id_source.hpp"
#include "runtime/router.hpp"
#include "runtime/ticker.hpp"

namespace omnicart::cluster {
class backup_maker;
}

namespace omnicart::node {

// What connects this node to the others: the link, Raft's messages over it, the entities' commands and answers, and what
// nodes tell one another about themselves.
class peers {
 public:
  // Binds the link's port. Faults: unavailable (address in use, or no certificates and not loopback), io (a file).
  static result<std::unique_ptr<peers>> open(const config::cluster_options& options, const clock& time, id_source& ids);
  ~peers();

  // Where its Raft messages go and whole shards come from; before the journal is opened.
  void describe(cluster::journal_options& journal, persistence::store& data);
  // Puts itself between these and the link. They outlive it.
  void attach(cluster::replicated_journal& log, router& routes, projection_host& rows, std::uint16_t shard_count);
  // The journal heard of another leader (journal_options::led_by).
  void leader_changed(std::uint16_t shard) {
    if (sender_) sender_->leader_changed(shard);
  }
  // Others may come.
  void start();
  // Commands on their way are answered; the link stays up for what the journal still writes.
  void stop_commands();
  // After the journal's end and before the store's.
  void stop_copies();
  void stop();

  // Who hears other nodes' answers about cuts; null: nobody. It outlives the link's threads.
  void attach(cluster::backup_maker* backups) { backups_ = backups; }
  // The nodes that are connected now.
  std::vector<cluster::node_id> up() const;

  // Says this of the node, now and every half second.
  void introduce(cluster::node_report about_us);
  // Why others should give it nothing to lead, if they should not. Who once said that it is stopping says so to the end.
  void say_unfit(const cluster::unfitness& why);

  // The committed membership, once it is known: who is let in, and where to find them. `strangers` are let in, too, for
  // Raft's messages and to be copied from; they are given no shard.
  void follow(std::vector<cluster::peer_address> members, std::vector<cluster::peer_address> strangers);
  // The certificates again. Fault: io.
  status reload() { return link_->reload(); }

  // The members that the configuration names.
  std::vector<cluster::peer_address> named() const;
  // "HOST:PORT" for others to connect to.
  std::string address() const;
  cluster::node_link& link() { return *link_; }
  cluster::neighbours& others() { return *neighbours_; }
  // Lists that know what was acknowledged on any node.
  projection_host& lists() { return *lists_; }
  const cluster::shard_copier& copies() const { return *copies_; }
  const cluster::remote_sender& sender() const { return *sender_; }
  const cluster::remote_receiver& receiver() const { return *receiver_; }
  const cluster::members_only& members() const { return *members_; }
  // What of Raft's did not read (cluster/raft_channel.hpp).
  std::uint64_t malformed_raft() const { return raft_->malformed(); }

 private:
  peers(const config::cluster_options& options, const clock& time, id_source& ids);
  void tell();

  const config::cluster_options& options_;
  const clock& time_;
  id_source& ids_;
  cluster::named_commands named_;
  std::unique_ptr<cluster::node_link> link_;
  std::unique_ptr<cluster::members_only> members_;  // the link for all but Raft and copies
  std::unique_ptr<cluster::raft_channel> raft_;
  std::unique_ptr<cluster::remote_sender> sender_;
  std::unique_ptr<cluster::remote_receiver> receiver_;
  std::unique_ptr<cluster::link_chunks> chunks_;
  std::unique_ptr<cluster::shard_copier> copies_;
  std::unique_ptr<cluster::neighbours> neighbours_;
  std::unique_ptr<cluster::current_lists> lists_;
  std::atomic<cluster::backup_maker*> backups_{nullptr};
  std::mutex report_guard_;
  cluster::node_report report_;
  std::unique_ptr<ticker> ticks_, reports_;
};

}  // namespace omnicart::node
