#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/order/order.hpp"
#include "runtime/base/result.hpp"

namespace omnicart::backup {

// An entry of the provider's ledger, as far as the comparison reads it.
struct ledger_entry {
  std::string kind;  // capture, refund; others are passed over
  std::string order;
  std::string currency;
  std::string at;  // as the provider writes it
  std::int64_t amount_minor = 0;
  std::string refund_key;  // of a refund: which one of the order's
};

// What the provider did and the cut knows nothing of.
struct unknown_entry {
  ledger_entry what;
  std::string why;
};

// What an order of the cut was paid with and the ledger has not.
struct missing_capture {
  std::string order;
  std::string currency;
  std::int64_t amount_minor = 0;
};

// Compares the orders of a cut with the provider's ledger: first all orders, then all entries.
//
//   the order in the cut           a capture of its amount in the ledger is
//   captured it                    known
//   asks for it, or for a void     awaited: it asks again under the same key, hears of the capture,
//                                  and is paid, once (or gives it back, had it asked for a void)
//   comes to that later            unknown: it may be rejected before it asks
//   ended without it               unknown
//   is not there                   unknown
//
// A refund is told by its key and amount: known when the order says that it was made, awaited when
// the order owes it still (it asks again under the same key, and hears that it was made), else
// unknown, also when it is one of several.
//
// A capture that the cut knows and the ledger has not is missing: orders are paid only by the
// provider's word, so that is another provider's ledger, or not all of it.
class ledger_comparison {
 public:
  void add(const order_id& id, const order::state& what);
  void take(const ledger_entry& entry);

  const std::vector<unknown_entry>& unknown() const { return unknown_; }
  // Captures and refunds of orders that hear of them once they ask again.
  std::uint64_t awaited() const { return awaited_; }
  std::uint64_t known() const { return known_; }
  // After all entries, by order id. O(orders).
  std::vector<missing_capture> missing() const;

 private:
  enum class payment_state : std::uint8_t { to_come, asked, captured, ended };
  struct known_refund {
    bool owed = false;
    std::int64_t amount_minor = 0;
  };
  struct known_order {
    payment_state at = payment_state::to_come;
    std::int64_t amount_minor = 0;
    std::string currency;
    std::map<std::string, known_refund> refunds;  // by key
    bool capture_is_there = false;                // in the ledger
  };
  static payment_state state_of(const order::state& what);
  static std::map<std::string, known_refund> refunds_of(const order::state& what);
  void take_capture(const ledger_entry& entry);
  void take_refund(const ledger_entry& entry);

  std::unordered_map<std::string, known_order> orders_;
  std::vector<unknown_entry> unknown_;
  std::uint64_t awaited_ = 0;
  std::uint64_t known_ = 0;
};

}  // namespace omnicart::backup
