#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/clock.hpp"

namespace omnicart::http {

// What a call costs: placing orders and signing in have limits of their own.
enum class rate_class : std::uint8_t { read = 0, write = 1, checkout = 2, login = 3 };
inline constexpr std::size_t rate_class_count = 4;

// Whom a limit counts. A call is let in if all three of its subjects have room.
enum class rate_subject : std::uint8_t { address = 0, session = 1, user = 2 };
inline constexpr std::size_t rate_subject_count = 3;
std::string_view to_string(rate_subject who);

struct rate_limits {
  struct rate {
    std::int64_t per_s = 0;  // at least 1
    std::int64_t burst = 0;  // at once, after a rest; at least 1
  };
  // In place of the class's limit, for one subject and the calls of one route.
  struct quota {
    std::string route;  // "POST /api/orders"
    rate_subject who{};
    std::int64_t count = 1, seconds = 1;  // so many in so long
    std::int64_t burst = 1;
  };
  bool enabled = true;
  bool loopback_exempt = true;
  rate read{50, 200};  // of an address
  rate write{20, 100};
  rate checkout{2, 10};
  rate login{1, 10};
  std::int64_t session_percent = 100;  // of an address's limits
  std::int64_t user_percent = 100;
  std::vector<quota> quotas{};
  std::size_t addresses_max = 100'000;  // subjects counted at once
};

// Token buckets per address (see peer_network), session and user, and class of call, kept as the
// generic cell rate algorithm keeps them (ITU-T I.371 annex A): one time per bucket, no fractions.
// Thread-safe; subjects are spread over locks by a hash, and beyond addresses_max the one unheard
// of for longest is forgotten.
//
// Over a cluster: each node tells the others what was taken from its buckets (drain), and they owe
// it too (absorb). Between two exchanges a node lets in what its own bucket has left, so N nodes
// may let in up to N - 1 bursts too many, once: what was taken beyond a bucket is owed, and nothing
// more is let in before it is made up for. Over time the rate is exact.
class rate_limiter {
 public:
  rate_limiter(const rate_limits& limits, const clock& time);
  ~rate_limiter();

  // Of one call. Session and user by its token; empty: none.
  struct claimant {
    std::string_view peer, session, user;
  };
  struct verdict {
    bool allowed = true;
    std::int64_t remaining = 0;
    std::int64_t limit = 0;           // the burst; 0: nothing limits this caller
    std::uint32_t window_s = 0;       // in which so many come again
    std::uint32_t retry_after_s = 0;  // when refused, at least 1
    std::uint32_t reset_s = 0;        // until the bucket is full again
    rate_subject who{};               // whose bucket this is: the one with the least left
  };
  // Whether calls from this address are counted at all.
  bool counts(std::string_view peer) const;
  // Takes one token of each subject, or none.
  verdict take(const claimant& who, rate_class what, std::string_view route = {});

  void set_limits(const rate_limits& limits);

  // What was taken from a bucket, in nanoseconds of its refilling: no node needs to know the
  // other's rates.
  struct spent {
    std::uint64_t key = 0;
    std::uint8_t slot = 0;
    std::int64_t ns = 0;
  };
  // From here on spent() has something. At most shared_max buckets are remembered between two
  // calls; what is beyond them the other nodes do not hear of.
  static constexpr std::size_t shared_max = 8'192;
  void share();
  std::vector<spent> drain();
  void absorb(const std::vector<spent>& elsewhere);

 private:
  struct entry {
    std::uint64_t key = 0;
    // When each bucket will be full again, in nanoseconds of the clock; later than that of an empty
    // one when more is owed.
    std::array<std::int64_t, rate_class_count> full_at_ns{};
  };
  struct stripe {
    std::mutex mutex;
    std::list<entry> entries;  // the one heard of last at the end
    std::unordered_map<std::uint64_t, std::list<entry>::iterator> by_key;
    std::unordered_map<std::uint64_t, std::array<std::int64_t, rate_class_count>>
        taken;  // to be told
  };
  // A bucket's place and size.
  struct bucket {
    std::uint64_t key = 0;
    std::size_t slot = 0;
    std::int64_t token_ns = 0;
    std::int64_t burst = 0;
  };
  struct rules;
  static constexpr std::size_t stripe_count = 16;

  static entry& find(stripe& in, std::uint64_t key, std::size_t entries_max);
  stripe& stripe_of(std::uint64_t key) { return stripes_[key % stripe_count]; }
  verdict take_one(const rules& by, const bucket& from);
  void give_back(const bucket& to);
  void note(stripe& in, const bucket& from, std::int64_t ns);

  const clock& time_;
  std::atomic<bool> sharing_{false};
  std::atomic<const rules*> rules_{nullptr};
  std::mutex guard_;
  std::vector<std::unique_ptr<const rules>> all_rules_;  // few, and somebody may still read one
  std::array<stripe, stripe_count> stripes_;
};

}  // namespace omnicart::http
