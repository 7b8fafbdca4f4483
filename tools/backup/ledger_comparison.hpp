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
};

// What the provider did and the cut knows nothing of.
struct unknown_entry {
  ledger_entry what;
  std::string why;
};

// Compares the orders of a cut with the provider's ledger: first all orders, then all entries.
//
//   the order in the cut           a capture of its amount in the ledger is
//   captured it                    known
//   asks for it, or for a void     known: it asks again under the same key, hears of the capture,
//   and is
//                                  paid, once
//   comes to that later            unknown: it may be rejected before it asks
//   ended without it               unknown
//   is not there                   unknown
//
// A refund is known when the order was refunded, or owes it still.
class ledger_comparison {
 public:
  void add(const order_id& id, const order::state& what);
  void take(const ledger_entry& entry);

  const std::vector<unknown_entry>& unknown() const { return unknown_; }
  // Captures of orders that hear of them once they ask again.
  std::uint64_t awaited() const { return awaited_; }
  std::uint64_t known() const { return known_; }

 private:
  enum class payment_state : std::uint8_t { to_come, asked, captured, refunding, ended };
  struct known_order {
    payment_state at = payment_state::to_come;
    std::int64_t amount_minor = 0;
  };
  void take_capture(const ledger_entry& entry);
  void take_refund(const ledger_entry& entry);

  std::unordered_map<std::string, known_order> orders_;
  std::vector<unknown_entry> unknown_;
  std::uint64_t awaited_ = 0;
  std::uint64_t known_ = 0;
};

}  // namespace omnicart::backup
