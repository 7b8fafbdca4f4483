#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "runtime/clock.hpp"

namespace omnicart::http {

// What a call costs: placing orders and signing in have limits of their own.
enum class rate_class : std::uint8_t { read = 0, write = 1, checkout = 2, login = 3 };
inline constexpr std::size_t rate_class_count = 4;

struct rate_limits {
  struct rate {
    std::int64_t per_s = 0;  // at least 1
    std::int64_t burst = 0;  // at once, after a rest; at least 1
  };
  bool enabled = true;
  bool loopback_exempt = true;
  rate read{50, 200};
  rate write{20, 100};
  rate checkout{2, 10};
  rate login{1, 10};
  std::size_t addresses_max = 100'000;
};

// Token buckets per peer (see peer_network) and class of call, kept as the generic cell rate
// algorithm keeps them (ITU-T I.371 annex A): one time per bucket, no fractions. Thread-safe; peers
// are spread over locks by a hash, and beyond addresses_max the one unheard of for longest is
// forgotten.
class rate_limiter {
 public:
  rate_limiter(const rate_limits& limits, const clock& time);

  struct verdict {
    bool allowed = true;
    std::int64_t remaining = 0;
    std::int64_t limit = 0;           // the burst; 0: nothing limits this peer
    std::uint32_t retry_after_s = 0;  // when refused, at least 1
    std::uint32_t reset_s = 0;        // until the bucket is full again
  };
  // Takes one token.
  verdict take(std::string_view peer, rate_class what);

  void set_limits(const rate_limits& limits);

 private:
  struct entry {
    std::uint64_t key = 0;
    // When each bucket will be full again, in nanoseconds of the clock.
    std::array<std::int64_t, rate_class_count> full_at_ns{};
  };
  struct stripe {
    std::mutex mutex;
    std::list<entry> entries;  // the one heard of last at the end
    std::unordered_map<std::uint64_t, std::list<entry>::iterator> by_key;
  };
  struct live_rate {
    std::atomic<std::int64_t> per_s{1};
    std::atomic<std::int64_t> burst{1};
  };
  static constexpr std::size_t stripe_count = 16;

  static entry& find(stripe& in, std::uint64_t key, std::size_t entries_max);

  const clock& time_;
  std::atomic<bool> enabled_{true};
  std::atomic<bool> loopback_exempt_{true};
  std::atomic<std::size_t> stripe_max_{1};
  std::array<live_rate, rate_class_count> rates_;
  std::array<stripe, stripe_count> stripes_;
};

}  // namespace omnicart::http
