#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/clock.hpp"

namespace omnicart::http {

struct sign_in_limits {
  std::int64_t slow_after_account = 5;   // wrong passwords of one account that cost nothing
  std::int64_t slow_after_address = 20;  // the same for one address: offices share one
  duration_ms base{1'000};               // the first wait; each further wrong password doubles it
  duration_ms most{60'000};
  duration_ms forget_after{3'600'000};  // after the last wrong one
};

// Slows guessing of passwords, per account (known or not: the guard is told a hash of the address
// only) and per peer address. A try is counted as wrong when it begins, and that is taken back when
// it ends well: a hundred sent at once are no hundred free ones. Thread-safe; remembers at most
// `remembered_max` accounts and as many addresses, and then forgets those that failed longest ago.
class sign_in_guard {
 public:
  static constexpr std::size_t remembered_max = 100'000;

  sign_in_guard(const sign_in_limits& limits, const clock& time) : limits_(limits), time_(time) {}

  // Nothing: go on and say later what came of it; the try counts as wrong until then. Otherwise how
  // long nobody may try (the try is not counted).
  std::optional<duration_ms> begin(std::string_view account, std::string_view address);
  // The password was right: the account's wrong ones are forgotten, those of the address stay but
  // for this try.
  void succeeded(std::string_view account, std::string_view address);
  // Nobody looked at the password (overload): the try does not count.
  void withdrawn(std::string_view account, std::string_view address);

  void set_limits(const sign_in_limits& limits);

 private:
  // Wrong tries by key, the one that failed last at the end.
  class tally {
   public:
    duration_ms wait(const std::string& key, std::int64_t free, const sign_in_limits& limits,
                     duration_ms now);
    void add(const std::string& key, duration_ms now);
    void take_back(const std::string& key);
    void forget(const std::string& key);

   private:
    struct entry {
      std::string key;
      std::int64_t wrong = 0;
      duration_ms last{0};
    };
    void drop_old(duration_ms before);

    std::list<entry> entries_;
    std::unordered_map<std::string_view, std::list<entry>::iterator>
        by_key_;  // views into entries_
  };

  std::mutex mutex_;  // a try costs 30 ms of hashing: one lock is no bottleneck
  sign_in_limits limits_;
  const clock& time_;
  tally accounts_;
  tally addresses_;
};

}  // namespace omnicart::http
