#pragma once

#include <functional>

#include "http/cluster_routes.hpp"

namespace omnicart::http {

struct shop;

// The operators' calls about machines' keys and the audit log.
//
//   GET  /keys                          {items: [{id, name, role, scopes, created_at,
//   expires_at?}]} POST /keys {name, role, scopes, ttl_s?}   201: the same with `key`, which is
//   shown this once POST /keys/revoke {id}              200 GET  /audit[?cursor=&limit=] {items:
//   […], next_cursor}, as GET /api/audit; at most 1,000 GET  /audit/verify                  {sound,
//   entries, head, first_bad_entry?}
class security_routes {
 public:
  explicit security_routes(const shop& in) : shop_(in) {}

  using handler = cluster_routes::handler;
  // As cluster_routes.
  void add_to(httplib::Server& server, const std::function<handler(handler)>& guard);

 private:
  void list_keys(httplib::Response& out);
  void create_key(const httplib::Request& in, httplib::Response& out);
  void revoke_key(const httplib::Request& in, httplib::Response& out);
  void list_audit(const httplib::Request& in, httplib::Response& out);
  void verify_audit(httplib::Response& out);

  const shop& shop_;
};

}  // namespace omnicart::http
