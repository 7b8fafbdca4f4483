#include "http/rate_limiter.hpp"

#include <algorithm>

#include "http/peer_network.hpp"

namespace omnicart::http {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): neighbouring networks must not share a
// bucket or a lock.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

std::uint32_t whole_seconds(std::int64_t span_ns) {
  return static_cast<std::uint32_t>(
      std::max<std::int64_t>((span_ns + second_ns - 1) / second_ns, 0));
}

}  // namespace

rate_limiter::rate_limiter(const rate_limits& limits, const clock& time) : time_(time) {
  set_limits(limits);
}

void rate_limiter::set_limits(const rate_limits& limits) {
  const std::array<rate_limits::rate, rate_class_count> rates = {limits.read, limits.write,
                                                                 limits.checkout, limits.login};
  for (std::size_t i = 0; i < rates.size(); ++i) {
    rates_[i].per_s = std::clamp<std::int64_t>(rates[i].per_s, 1, 1'000'000);
    rates_[i].burst = std::clamp<std::int64_t>(rates[i].burst, 1, 1'000'000);
  }
  enabled_ = limits.enabled;
  loopback_exempt_ = limits.loopback_exempt;
  stripe_max_ = std::max<std::size_t>(limits.addresses_max / stripe_count, 1);
}

rate_limiter::entry& rate_limiter::find(stripe& in, std::uint64_t key, std::size_t entries_max) {
  const auto at = in.by_key.find(key);
  if (at != in.by_key.end()) {
    in.entries.splice(in.entries.end(), in.entries, at->second);
    return *at->second;
  }
  while (in.entries.size() >= entries_max) {
    in.by_key.erase(in.entries.front().key);
    in.entries.pop_front();
  }
  in.entries.push_back({.key = key});
  in.by_key.emplace(key, std::prev(in.entries.end()));
  return in.entries.back();
}

rate_limiter::verdict rate_limiter::take(std::string_view peer, rate_class what) {
  if (!enabled_.load(std::memory_order_relaxed)) return {};
  const peer_network from = network_of(peer);
  if (from.loopback && loopback_exempt_.load(std::memory_order_relaxed)) return {};
  const auto index = static_cast<std::size_t>(what);
  const std::int64_t burst = rates_[index].burst.load(std::memory_order_relaxed);
  const std::int64_t token_ns = second_ns / rates_[index].per_s.load(std::memory_order_relaxed);
  const std::int64_t bucket_ns = burst * token_ns;
  const std::uint64_t key = mixed(from.key);
  stripe& held = stripes_[key % stripe_count];

  const std::lock_guard lock(held.mutex);
  // Read under the lock, so that time does not go back for a bucket.
  const std::int64_t now = std::chrono::nanoseconds(time_.monotonic()).count();
  std::int64_t& full_at =
      find(held, key, stripe_max_.load(std::memory_order_relaxed)).full_at_ns[index];
  const std::int64_t owed = std::clamp<std::int64_t>(full_at - now, 0, bucket_ns);
  verdict said{.allowed = owed + token_ns <= bucket_ns, .limit = burst};
  const std::int64_t left = bucket_ns - owed - (said.allowed ? token_ns : 0);
  said.remaining = left / token_ns;
  said.reset_s = whole_seconds(bucket_ns - left);
  if (said.allowed) {
    full_at = now + owed + token_ns;
  } else {
    said.retry_after_s = std::max(whole_seconds(owed + token_ns - bucket_ns), 1U);
  }
  return said;
}

}  // namespace omnicart::http
