#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "actors/cluster/cluster_messages.hpp"
#include "http/cluster_report.hpp"

namespace httplib {
class Server;
struct Request;
struct Response;
}  // namespace httplib

namespace omnicart::http {

// What operators reach the cluster through. Thread-safe; outlives the server.
class cluster_desk {
 public:
  using done_fn = std::function<void(status)>;
  virtual ~cluster_desk() = default;

  // The cluster as this node knows it now.
  virtual cluster_report report() = 0;
  // What each replica here contains, by number of the shard; those without content are missing. Reads all of it, which
  // takes minutes of a large store. Errors: io (the store is damaged; the detail says where).
  virtual result<std::vector<replica_hash>> hashes() = 0;
  // Makes this node a cluster of its own, which a lone one does itself when it starts. Refusal:
  // what the record says. `done` is called once, on any thread.
  virtual void found(done_fn done) = 0;
  // Has the record of the cluster take an operator's command, wherever it is led, as an admin's; a
  // lost answer is asked for again. A rotate_key comes without its key: one is made here. `done` as above; with
  // precondition_failed when the record is not of `version` any more.
  virtual void submit(cluster_record::command what, std::optional<std::uint64_t> version, done_fn done) = 0;
};

// The operators' calls about the cluster. `desk` null: each answers 409, no_cluster.
//
//   GET  /cluster                                  to_json of cluster_report.hpp
//   GET  /cluster/hashes                           to_json of cluster_report.hpp; 503 naming the damage of a store
//   POST /cluster/init {}                          {cluster, founded: whether it was done now}
//   POST /cluster/join {id, name, link, http?, operators?}
//   POST /cluster/drain, resume {node}
//   POST /cluster/remove {node, force?}
//   POST /cluster/replace {node, by}
//   POST /cluster/transfer {shard, node}           shard: a number, the record's own group is the last
//   POST /cluster/rebalance {}
//   POST /cluster/configure {replicas?, moves_max?}
//   POST /cluster/rotate-key {distrust_others?}    another signing key, in force a minute later; with distrust_others
//                                                  also another key of refresh tokens: everybody signs in again
//
// Nodes are named by number or name, as strings. Each command but init takes `who` and `why` (texts of a line), is kept
// in the log of operations and answers {done: what was done}. All may be repeated.
class cluster_routes {
 public:
  explicit cluster_routes(cluster_desk* desk) : desk_(desk) {}

  using handler = std::function<void(const httplib::Request&, httplib::Response&)>;
  // `guard` wraps each handler in the port's own check of the caller. The routes outlive the server.
  void add_to(httplib::Server& server, const std::function<handler(handler)>& guard);

 private:
  cluster_desk* desk_;
};

}  // namespace omnicart::http
