#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace omnicart::http {

// The payment provider's own ledger, read from its first entry to its last in pages, so that memory
// stays small however long it is.
class provider_ledger {
 public:
  struct entry {
    std::uint64_t seq = 0;  // from 1 on, without a gap
    std::string kind, key, currency, at, refund_key, decline_code, last4;
    std::int64_t amount = 0;  // minor units
  };

  // `url` as in the configuration. Refusal: malformed.
  static result<provider_ledger> open(const std::string& url);
  ~provider_ledger();
  provider_ledger(provider_ledger&&) noexcept;

  static constexpr std::size_t page_entries = 10'000;

  // All block. Faults: unavailable (no answer, or none that is a ledger), shutting_down.
  status read(const std::function<void(const entry&)>& take);
  // Some entries from this number on, at most page_entries; none: there are no more.
  result<std::vector<entry>> page(std::uint64_t from);
  // Number of the last entry; 0: there is none.
  result<std::uint64_t> last();
  // Ends what another thread waits for, and every later call.
  void stop();

 private:
  struct connection;
  explicit provider_ledger(std::unique_ptr<connection> to);
  std::unique_ptr<connection> to_;
};

}  // namespace omnicart::http
