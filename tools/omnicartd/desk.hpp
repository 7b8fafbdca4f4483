#pragma once

#include "http/cluster_routes.hpp"
#include "persistence/store.hpp"
#include "runtime/clock.hpp"
#include "runtime/id_source.hpp"
#include "runtime/message.hpp"
#include "tools/omnicartd/membership.hpp"

namespace omnicart::node {

// What operators are told of the cluster, from what this node knows itself, and what they tell its record.
class desk final : public http::cluster_desk {
 public:
  struct parts {
    membership& members;
    cluster::replicated_journal& log;
    persistence::store& data;
    message_sink& entities;
    peers* others;  // null: a node that stays alone
    const clock& time;
    id_source& ids;
    node_id self;
  };
  explicit desk(parts with) : with_(with) {}

  http::cluster_report report() override;
  result<std::vector<http::replica_hash>> hashes() override;
  void found(done_fn done) override;
  void submit(cluster_record::command what, std::optional<std::uint64_t> version, done_fn done) override;

 private:
  http::cluster_report::node describe(const cluster_record::node& what,
                                      const std::map<node_id, cluster::neighbours::known>& heard) const;
  static http::cluster_report::shard describe(const cluster::replica_view& view, node_id self);

  const parts with_;
};

}  // namespace omnicart::node
