#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace omnicart::http {

// How long questions took where they were answered: without waiting for their turn, and without what
// is read and written around the answer. Added to by one thread, read by any.
class query_times {
 public:
  static constexpr std::size_t buckets = 24;  // bucket n counts microseconds in [2^n, 2^(n+1)); 0 goes to bucket 0

  struct figures {
    std::uint64_t queries = 0;
    std::uint64_t us_total = 0;
    std::array<std::uint64_t, buckets> us{};
  };

  void add(std::uint64_t us) {
    const auto bits = static_cast<std::size_t>(std::bit_width(us));
    const std::size_t bucket = bits == 0 ? 0 : bits - 1;
    by_us_[bucket < buckets ? bucket : buckets - 1].fetch_add(1, std::memory_order_relaxed);
    us_total_.fetch_add(us, std::memory_order_relaxed);
  }

  figures look() const {
    figures now{.us_total = us_total_.load(std::memory_order_relaxed)};
    for (std::size_t n = 0; n < buckets; ++n) {
      now.us[n] = by_us_[n].load(std::memory_order_relaxed);
      now.queries += now.us[n];
    }
    return now;
  }

  // Adds the time from its construction to its end.
  class running {
   public:
    explicit running(query_times& into) : into_(into) {}
    ~running() {
      const auto took = std::chrono::steady_clock::now() - began_;
      into_.add(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
    }
    running(const running&) = delete;
    running& operator=(const running&) = delete;

   private:
    query_times& into_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  };

 private:
  std::array<std::atomic<std::uint64_t>, buckets> by_us_{};
  std::atomic<std::uint64_t> us_total_{0};
};

}  // namespace omnicart::http
