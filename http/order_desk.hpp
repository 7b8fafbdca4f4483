#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "http/cluster_routes.hpp"
#include "http/reconciliation.hpp"
#include "http/shop.hpp"
#include "runtime/entity_directory.hpp"
#include "runtime/kind.hpp"

namespace omnicart::http {

// The operators' calls about orders that do not get on, and about both ledgers.
//
//   GET  /orders/stuck?older_s=N[&limit=N]    orders that have owed something for so long
//   GET  /orders/ID/explain                   what it waits for, of whom, and what can be done
//   POST /orders/ID/retry                     asks again at once, also for what was refused
//   POST /orders/ID/resolve {how, note}       how: give_up, refunds_done, stock_done, written_off
//   GET  /payments/reconcile                  how the ledgers differ (http/reconciliation.hpp)
//   POST /payments/reconcile                  the same, and mends what can be
class order_desk {
 public:
  struct parts {
    const shop& front;
    entity_directory& entities;
    const std::atomic<bool>& stopping;
    reconciliation::ledger_reader ledger;
  };
  explicit order_desk(parts with) : with_(std::move(with)) {}

  using handler = cluster_routes::handler;
  // As cluster_routes.
  void add_to(httplib::Server& server, const std::function<handler(handler)>& guard);

 private:
  void stuck(const httplib::Request& in, httplib::Response& out);
  void explain(const httplib::Request& in, httplib::Response& out);
  void retry(const httplib::Request& in, httplib::Response& out);
  void resolve(const httplib::Request& in, httplib::Response& out);
  void reconcile(httplib::Response& out, reconciliation::mode how);

  // In the audit log before it is done, and how it ended behind it.
  void written_down(httplib::Response& out, const std::string& action, const std::function<void()>& deed);
  void carry_out(httplib::Response& out, const std::string& id, const order::command& what);
  // The order as a restart would make it; what it owes can be asked of that.
  result<std::unique_ptr<entity>> load(const std::string& id, std::uint64_t& version);

  const parts with_;
  std::mutex one_at_a_time_;
};

}  // namespace omnicart::http
