#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/projection_routes.hpp"
#include "http/shop.hpp"
#include "runtime/entity_directory.hpp"

namespace omnicart::http {

class backup_desk;
class cluster_desk;
class metrics;

// One number of a part of the node, as Prometheus shows it (name in base units, labels as `{a="b"}` or "").
struct figure {
  std::string name;
  std::string labels;
  double value = 0;
  const char* type = "gauge";  // or "counter"
  const char* help = "";
};

struct operator_wiring {
  const shop& front;
  entity_directory& entities;
  metrics& requests;
  std::string token;                                // what callers must present
  std::string version;
  std::string pay_url;
  std::function<std::string()> http_address;        // of the public front, once it serves
  std::function<std::vector<figure>()> figures;
  std::function<std::optional<error>()> refusing;   // why the node takes no writes, if so
  std::function<std::string()> provider_trouble;    // why the provider that this node runs is down; "" when it is not
  projection_desk projections;
  cluster_desk* cluster = nullptr;                  // outlives the server; null: a node that knows of none
  backup_desk* backups = nullptr;                   // the same
};

// The operators' port: health, metrics, inspection of entities, the laws, tokens. Few callers, so a thread each
// (cpp-httplib), 32 at most; one that says nothing for 2 s is closed. Everything but /health needs the operator's
// token.
//
//   GET  /health, /health/live, /health/ready     200, or 503 for ready while the node takes no writes; while only
//                                                 payments do not work, ready says "degraded" and is still 200
//   GET  /metrics                                 Prometheus text format
//   GET  /status                                  a summary as JSON
//   GET  /entities/KIND/ID[?at=TIME]              state as JSON; at a time: from the stored history
//   GET  /entities/KIND/ID?history=1[&cursor=&limit=]
//                                                 both from this node's store, and current; "behind" says why not, if so
//   GET  /laws?wait_s=N                           the check of http/laws.hpp
//   GET  /access                                  the table of who may make which call
//   POST /tokens {role, ttl_s}                    an access token for staff
//   POST /users {email, password, name?, role}    a user with a role
//   /keys, /audit                                 http/security_routes.hpp
//   /cluster…                                     http/cluster_routes.hpp
//   /orders/…, /payments/reconcile                http/order_desk.hpp
//   /projections…                                 http/projection_routes.hpp
//   /backup                                       http/backup_routes.hpp
class operator_server {
 public:
  // Fault: unavailable, with one clear line (port in use).
  static result<std::unique_ptr<operator_server>> start(const std::string& host, std::uint16_t port,
                                                        operator_wiring wiring);
  // Ends every call under way.
  ~operator_server();
  void stop();
  std::uint16_t port() const;

 private:
  class impl;
  explicit operator_server(std::unique_ptr<impl> inner);
  std::unique_ptr<impl> impl_;
};

// The token in DIRECTORY/operator.token, made at the first start with mode 0600. Fault: io, naming the file and why.
result<std::string> operator_token(const std::string& directory);

}  // namespace omnicart::http
