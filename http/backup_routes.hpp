#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "http/cluster_routes.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::http {

// What operators reach the node's backups through. Thread-safe; outlives the server.
class backup_desk {
 public:
  virtual ~backup_desk() = default;

  struct wish {
    std::string directory;  // on the node's machine
    std::string who, why;
    std::uint64_t rate_bytes_max = 0;  // a second; 0: no limit
  };
  // Begins one; returns at once. Refusals: what the maker of backups says.
  virtual status begin(wish what) = 0;
  // How the latest one since the node started goes or went, as JSON.
  virtual std::string look() = 0;
};

// The operators' calls about backups. `desk` null: each answers 409, no_backups.
//
//   GET  /backup                                  {state: idle, cutting, copying, done or failed,
//   …} POST /backup {to, who, why?, rate_mib_s?}     202: it is under way, GET tells how it goes
class backup_routes {
 public:
  explicit backup_routes(backup_desk* desk) : desk_(desk) {}

  using handler = cluster_routes::handler;
  // As cluster_routes.
  void add_to(httplib::Server& server, const std::function<handler(handler)>& guard);

 private:
  backup_desk* desk_;
};

}  // namespace omnicart::http
