#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/result.hpp"

namespace omnicart::http {

// The payment provider's own ledger, read from its first entry to its last in pages, so that memory
// stays small however long it is.
class provider_ledger {
 public:
  struct entry {
    std::string kind, key, currency, at, refund_key, decline_code, last4;
    std::int64_t amount = 0;  // minor units
  };

  // `url` as in the configuration. Refusal: malformed.
  static result<provider_ledger> open(const std::string& url);
  ~provider_ledger();
  provider_ledger(provider_ledger&&) noexcept;

  // Blocks. Faults: unavailable (no answer, or none that is a ledger), shutting_down.
  status read(const std::function<void(const entry&)>& take);
  // Ends a read() of another thread, and every later one.
  void stop();

 private:
  struct connection;
  explicit provider_ledger(std::unique_ptr<connection> to);
  std::unique_ptr<connection> to_;
};

}  // namespace omnicart::http
