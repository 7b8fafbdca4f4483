#pragma once

#include <string>

#include "cluster/backup/backup_maker.hpp"
#include "cluster/replicated_journal.hpp"
#include "http/backup_routes.hpp"
#include "runtime/id_source.hpp"
#include "tools/omnicartd/membership.hpp"
#include "tools/omnicartd/peers.hpp"

namespace omnicart::node {

// Backups of the shop, as this node makes them and operators ask for them.
class backups final : public http::backup_desk {
 public:
  struct parts {
    persistence::store& data;
    cluster::replicated_journal& log;
    membership& members;
    peers* others;  // null: a node that stays alone
    const clock& time;
    id_source& ids;
    node_id self;
  };
  explicit backups(parts with);

  // journal_options::marked.
  void marked(const cluster::marked_shard& shard) { maker_.marked(shard); }
  // Gives up what is under way. Before the journal stops.
  void stop();

  status begin(wish what) override;
  std::string look() override;

 private:
  cluster::backup_maker::parts wiring();
  status ready() const;
  void order(node_id to, const cluster::cut_order& what);
  void describe(cluster::backup_manifest& what) const;

  const parts with_;
  cluster::backup_maker maker_;
};

}  // namespace omnicart::node
