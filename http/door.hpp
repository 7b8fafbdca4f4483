#pragma once

#include <string>

#include "http/rate_limiter.hpp"
#include "http/server/router.hpp"

namespace omnicart::http {

struct access_claims;
struct access_rule;
struct shop;

// What stands before every handler of the public API, in this order: the rate limits of address,
// session and user (429 rate_limited), who may come in by the table of access (401, 403), and for
// what staff do the audit log: nothing is done that could not be written down first. Thread-safe;
// the parts outlive it.
//
// Answers to callers that are counted carry RateLimit-Policy and RateLimit as
// draft-ietf-httpapi-ratelimit-headers-10 has them, for the bucket with the least left:
//
//   RateLimit-Policy: "write-session";q=100;w=5      a burst of 100, which comes again in 5 s
//   RateLimit: "write-session";r=97;t=1              97 left, full again in 1 s
//
// A 429 has Retry-After, and RateLimit-Limit, -Remaining and -Reset of that draft's first versions.
class door {
 public:
  door(const shop& in, rate_limiter& limits) : shop_(in), limits_(limits) {}

  // A call behind the door. `handle` outlives all requests.
  struct call {
    const handler& handle;
    const access_rule* rule;  // null: nobody may make the call
    rate_class cost;
    std::string name;  // "POST /api/orders"
  };
  // `to` outlives the task.
  task<response> pass(request& req, const call& to) const;

 private:
  task<response> counted(request& req, const call& to) const;
  // `by`: what the token claims, where it was read already; else null.
  task<response> enter(request& req, const call& to, const access_claims* by) const;
  task<response> admitted(request& req, const call& to) const;
  task<response> audited(request& req, const call& to) const;

  const shop& shop_;
  rate_limiter& limits_;
};

}  // namespace omnicart::http
