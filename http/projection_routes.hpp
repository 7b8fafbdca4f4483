#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "http/cluster_routes.hpp"
#include "runtime/base/result.hpp"
#include "runtime/clock.hpp"

namespace omnicart::http {

// How a projection stands.
struct projection_state {
  std::string name;
  std::uint64_t lag_batches = 0;  // committed, not yet applied
  std::uint64_t applied = 0;      // batches since the start
  std::uint64_t queries = 0;
};

// What operators reach the node's projections through. Thread-safe.
struct projection_desk {
  std::function<std::vector<projection_state>()> list;
  // Makes it anew; `done` from any thread, once it is, or at once with not_found.
  std::function<void(const std::string& name, std::function<void(status)> done)> rebuild;
};

// The operators' calls about what lists and searches are read from.
//
//   GET  /projections                  by name: how far behind each is
//   POST /projections/NAME/rebuild     made anew from the kept histories; answers when it is
class projection_routes {
 public:
  // `stopping`: nothing is waited for any more. References outlive the routes.
  projection_routes(const projection_desk& desk, const clock& time,
                    const std::atomic<bool>& stopping)
      : desk_(desk), time_(time), stopping_(stopping) {}

  using handler = cluster_routes::handler;
  // As cluster_routes.
  void add_to(httplib::Server& server, const std::function<handler(handler)>& guard);

 private:
  void list(httplib::Response& out) const;
  void rebuild(const std::string& name, httplib::Response& out) const;

  const projection_desk& desk_;
  const clock& time_;
  const std::atomic<bool>& stopping_;
};

}  // namespace omnicart::http
