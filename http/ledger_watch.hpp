#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "http/provider_ledger.hpp"
#include "http/reconciliation.hpp"

namespace omnicart::http {

// Reads what the provider has entered since the last look, asks each order of it whether it knows, and mends what it
// does not (http/reconciliation.hpp): a charge for no order is given back although no webhook ever told of it. What was
// entered before the first look ever is left to `payments reconcile`: a ledger may be older than this shop.
class ledger_watch {
 public:
  static constexpr std::size_t page_entries = provider_ledger::page_entries;
  static constexpr std::size_t pages_max = 50;         // of one look; the next one goes on
  static constexpr std::size_t waiting_max = 10'000;   // entries of orders under way; while there are more, no page is read

  struct parts {
    message_sink& entities;
    entity_directory& all;
    const clock& time;
    std::function<result<std::vector<provider_ledger::entry>>(std::uint64_t from)> page;  // at most page_entries; fewer: the last
    std::function<result<std::uint64_t>()> last;        // number of the last entry, 0 for none
    std::function<std::optional<std::uint64_t>()> load_mark;  // nothing: never looked
    std::function<status(std::uint64_t)> save_mark;
    std::function<bool()> on_duty;  // one node of a cluster looks; the others only know where to begin
  };
  // All outlive it.
  explicit ledger_watch(parts with) : with_(std::move(with)) {}

  // Blocks; one thread. Faults: what kept it from reading the ledger, or from keeping how far it is. The next look does
  // what this one could not.
  status look();
  // Any thread: a look under way ends soon, and there is no other.
  void stop() { stopping_ = true; }

  struct figures {
    std::uint64_t entries = 0;  // looked at
    std::uint64_t mended = 0;   // differences between both ledgers
    std::uint64_t waiting = 0;  // entries to be looked at again
  };
  figures now() const { return {entries_, mended_, waiting_count_}; }  // any thread

 private:
  using entries = std::vector<provider_ledger::entry>;
  status begin();
  status read_on();
  // Those that are to be looked at again.
  entries sift(entries all);
  // True: nothing is left to be done.
  bool mend(const std::set<std::string>& orders);
  status keep_mark();

  const parts with_;
  std::optional<std::uint64_t> next_;  // entry to be read
  std::uint64_t kept_ = 0;             // as saved
  entries waiting_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> entries_{0}, mended_{0}, waiting_count_{0};
};

}  // namespace omnicart::http
