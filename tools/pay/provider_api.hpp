#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/clock.hpp"
#include "tools/pay/ledger_file.hpp"
#include "tools/pay/provider_rules.hpp"

// The provider's HTTP API without the sockets: a request in, a reply out.
//
//   POST /charges                {key, amount, currency, method, token}
//                                200 {key, status: captured|declined, amount, currency, last4,
//                                decline_code}
//                                with a sixth member, capture: "later": status authorised instead
//                                202 {key, error: pending}: not decided yet
//   POST /charges/KEY/capture    {amount, currency}     200 as a charge, status captured
//   POST /charges/KEY/void       200 {key, status: voided}
//   POST /charges/KEY/refunds    {refund_key, amount, currency}
//                                200 {key, refund_key, status: refunded, amount, currency}
//   GET  /charges/KEY            200 {key, status: authorised|captured|declined|voided, amount,
//   currency, method,
//                                last4, decline_code, refunded}; 404 not_found
//   GET  /ledger?from=&limit=    200 {"entries": [...]}, see entry_codec.hpp
//   GET  /ledger/summary         200 {entries, authorisations, captures, declines, voids, refunds,
//                                totals: [{currency, captured, refunded}]}
//   GET  /health                 200 {"status":"ok"}
//
// Refusals: 409 {key, error: key_reused|voided|captured|not_captured|over_refund|
// not_authorised}, 422 {key, error:
// unknown_method}, 400 {error: malformed, detail}. Amounts are minor units.
namespace omnicart::pay {

struct api_request {
  std::string_view method;
  std::string_view target;
  std::string_view body;
};

// A part of the ledger, to be streamed once it is on disk.
struct ledger_page {
  std::uint64_t from_seq = 1;
  std::uint64_t limit = 0;
};

struct api_reply {
  unsigned status = 200;
  std::string body;
  const char* allow = "";  // of a 405
  delivery how = delivery::normal;
  std::optional<ledger_page> page;  // instead of `body`
};

// Owned by one thread. New entries are appended to the ledger's open group: a reply may be sent
// only after the ledger's next commit, whether it made entries or not.
class provider_api {
 public:
  // All three outlive this.
  provider_api(provider_book& book, ledger_file& ledger, const clock& time)
      : book_(book), ledger_(ledger), time_(time) {}

  api_reply handle(const api_request& asked);
  // Decides what has been pending long enough. Now and then.
  void tick();
  // What was entered since it was last asked for: to be told once it is on disk.
  std::vector<entry> take_entered() { return std::exchange(entered_, {}); }

 private:
  api_reply post_charge(std::string_view body);
  api_reply post_capture(const std::string& key, std::string_view body);
  api_reply post_void(const std::string& key, std::string_view body);
  api_reply post_refund(const std::string& key, std::string_view body);
  api_reply get_charge(const std::string& key) const;
  api_reply get_summary() const;
  verdict decide(const request& asked);
  void enter(const std::vector<entry>& made);

  provider_book& book_;
  ledger_file& ledger_;
  const clock& time_;
  std::vector<entry> entered_;
};

}  // namespace omnicart::pay
