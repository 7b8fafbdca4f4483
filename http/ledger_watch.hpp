#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "http/provider_ledger.hpp"
#include "http/reconciliation.hpp"

namespace omnicart::http {

// Reads what the provider has entered since the last look, asks each order of it whether it knows, and mends what it
// does not (http/reconciliation.hpp): a charge for no order is given back although no webhook ever told of it. Three
// things keep it from giving back what is not this shop's to give:
//   - what was charged before the first look at this provider ever is left to `payments reconcile`,
//   - so is all of it where more than strangers_max charges stand for no order: that is no accident, but an account that
//     two shops use, or a store that was put back,
//   - a ledger that became shorter is not looked at.
class ledger_watch {
 public:
  static constexpr std::size_t pages_max = 50;         // of one look; the next one goes on
  static constexpr std::size_t waiting_max = 10'000;   // entries to be looked at again; while there are more, no page is read
  static constexpr std::size_t strangers_max = 10;     // given back in one look
  static constexpr std::size_t stand_by_looks = 3;     // so far back begins who takes over

  // How far it is, in whose ledger.
  struct mark {
    std::string provider;
    std::uint64_t first = 0, next = 0;  // entries: the first ever looked at, and the one to be read next
    friend bool operator==(const mark&, const mark&) = default;
  };
  struct parts {
    message_sink& entities;
    entity_directory& all;
    const clock& time;
    std::string provider;
    std::function<result<std::vector<provider_ledger::entry>>(std::uint64_t from)> page;  // as provider_ledger::page
    std::function<result<std::uint64_t>()> last;                                          // as provider_ledger::last
    std::function<result<std::optional<mark>>()> load_mark;  // nothing: never looked
    std::function<status(const mark&)> save_mark;
    std::function<bool()> on_duty;  // one node of a cluster looks; the others only follow
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
  // Entries of orders that do not know of them, by order.
  using suspects = std::map<std::string, entries>;
  status begin(std::uint64_t last);
  void follow(std::uint64_t last);
  status read_on(std::uint64_t last);
  // What may settle by itself goes to waiting_, what has not to `found`.
  void sift(const entries& all, suspects& found);
  void mend(suspects found, std::uint64_t last);
  void tell_of(const reconciliation_report& report);
  status keep_mark();

  const parts with_;
  std::optional<mark> at_;
  mark kept_;                        // as saved
  std::deque<std::uint64_t> ends_;   // of the ledger at the last looks, while off duty
  entries waiting_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> entries_{0}, mended_{0}, waiting_count_{0};
};

}  // namespace omnicart::http
