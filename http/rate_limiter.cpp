#include "http/rate_limiter.hpp"

#include <algorithm>
#include <optional>

#include "runtime/base/ids.hpp"
#include "runtime/base/peer_network.hpp"

namespace omnicart::http {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
// What other nodes let in beyond a bucket is owed up to so many buckets: a cluster has few nodes.
constexpr std::int64_t debt_buckets_max = 8;

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

std::int64_t bounded(std::int64_t figure) { return std::clamp<std::int64_t>(figure, 1, 1'000'000); }

std::uint64_t key_of(rate_subject who, std::string_view name) {
  return body_hash(std::string(to_string(who)) + ':' + std::string(name));
}

}  // namespace

std::string_view to_string(rate_subject who) {
  switch (who) {
    case rate_subject::address:
      return "address";
    case rate_subject::session:
      return "session";
    case rate_subject::user:
      return "user";
  }
  return "";
}

// Immutable once published, so that a call goes by one set of limits from its start to its end.
struct rate_limiter::rules {
  struct size {
    std::int64_t token_ns = 0;
    std::int64_t burst = 0;
  };
  struct special {
    size of;
    std::uint64_t salt = 0;  // its bucket's key differs from the class's by this
  };
  bool enabled = true;
  bool loopback_exempt = true;
  std::size_t stripe_max = 1;
  std::array<std::array<size, rate_class_count>, rate_subject_count> classes{};
  std::unordered_map<std::string, special> quotas;  // by "SUBJECT METHOD /path"

  const special* quota_of(rate_subject who, std::string_view route) const {
    if (quotas.empty() || route.empty()) return nullptr;
    const auto at = quotas.find(std::string(to_string(who)) + ' ' + std::string(route));
    return at == quotas.end() ? nullptr : &at->second;
  }
  bucket bucket_of(rate_subject who, std::uint64_t key, rate_class what,
                   std::string_view route) const {
    const auto index = static_cast<std::size_t>(what);
    const size& usual = classes[static_cast<std::size_t>(who)][index];
    const special* quota = quota_of(who, route);
    if (quota == nullptr) return {mixed(key), index, usual.token_ns, usual.burst};
    return {mixed(key ^ quota->salt), 0, quota->of.token_ns, quota->of.burst};
  }
};

rate_limiter::rate_limiter(const rate_limits& limits, const clock& time) : time_(time) {
  set_limits(limits);
}
rate_limiter::~rate_limiter() = default;

void rate_limiter::set_limits(const rate_limits& limits) {
  auto fresh = std::make_unique<rules>();
  fresh->enabled = limits.enabled;
  fresh->loopback_exempt = limits.loopback_exempt;
  fresh->stripe_max = std::max<std::size_t>(limits.addresses_max / stripe_count, 1);
  const std::array<rate_limits::rate, rate_class_count> rates = {limits.read, limits.write,
                                                                 limits.checkout, limits.login};
  const std::array<std::int64_t, rate_subject_count> percents = {100, limits.session_percent,
                                                                 limits.user_percent};
  for (std::size_t who = 0; who < rate_subject_count; ++who) {
    for (std::size_t what = 0; what < rate_class_count; ++what) {
      const std::int64_t per_s = bounded(rates[what].per_s * percents[who] / 100);
      const std::int64_t burst = bounded(rates[what].burst * percents[who] / 100);
      fresh->classes[who][what] = {.token_ns = second_ns / per_s, .burst = burst};
    }
  }
  for (const auto& each : limits.quotas) {
    const std::string name = std::string(to_string(each.who)) + ' ' + each.route;
    const std::int64_t token_ns = bounded(each.seconds) * second_ns / bounded(each.count);
    fresh->quotas[name] = {
        .of = {.token_ns = std::max<std::int64_t>(token_ns, 1), .burst = bounded(each.burst)},
        .salt = body_hash(name)};
  }
  const std::lock_guard lock(guard_);
  all_rules_.push_back(std::move(fresh));
  rules_.store(all_rules_.back().get(), std::memory_order_release);
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

bool rate_limiter::counts(std::string_view peer) const {
  const rules* by = rules_.load(std::memory_order_acquire);
  return by->enabled && !(by->loopback_exempt && network_of(peer).loopback);
}

rate_limiter::verdict rate_limiter::take(const claimant& who, rate_class what,
                                         std::string_view route) {
  const rules* by = rules_.load(std::memory_order_acquire);
  const peer_network from = network_of(who.peer);
  if (!by->enabled || (from.loopback && by->loopback_exempt)) return {};
  std::array<bucket, rate_subject_count> asked;
  std::size_t count = 0;
  asked[count++] = by->bucket_of(rate_subject::address, from.key, what, route);
  const auto add = [&](rate_subject subject, std::string_view name) {
    if (!name.empty()) asked[count++] = by->bucket_of(subject, key_of(subject, name), what, route);
  };
  std::array<rate_subject, rate_subject_count> names{rate_subject::address, rate_subject::session,
                                                     rate_subject::user};
  if (who.session.empty()) names[1] = rate_subject::user;
  add(rate_subject::session, who.session);
  add(rate_subject::user, who.user);

  std::optional<verdict> least;
  for (std::size_t i = 0; i < count; ++i) {
    verdict said = take_one(*by, asked[i]);
    said.who = names[i];
    if (!said.allowed) {
      while (i > 0) give_back(asked[--i]);
      return said;
    }
    if (!least || said.remaining < least->remaining) least = said;
  }
  return *least;
}

rate_limiter::verdict rate_limiter::take_one(const rules& by, const bucket& from) {
  const std::int64_t bucket_ns = from.burst * from.token_ns;
  stripe& held = stripe_of(from.key);
  const std::lock_guard lock(held.mutex);
  // Read under the lock, so that time does not go back for a bucket.
  const std::int64_t now = std::chrono::nanoseconds(time_.monotonic()).count();
  std::int64_t& full_at = find(held, from.key, by.stripe_max).full_at_ns[from.slot];
  const std::int64_t owed =
      std::clamp<std::int64_t>(full_at - now, 0, debt_buckets_max * bucket_ns);
  verdict said{.allowed = owed + from.token_ns <= bucket_ns, .limit = from.burst};
  const std::int64_t left =
      std::max<std::int64_t>(bucket_ns - owed - (said.allowed ? from.token_ns : 0), 0);
  said.remaining = left / from.token_ns;
  said.window_s = std::max(whole_seconds(bucket_ns), 1U);
  said.reset_s = whole_seconds(bucket_ns - left);
  if (said.allowed) {
    full_at = now + owed + from.token_ns;
    note(held, from, from.token_ns);
  } else {
    said.retry_after_s = std::max(whole_seconds(owed + from.token_ns - bucket_ns), 1U);
  }
  return said;
}

// A call that another of its subjects had no room for.
void rate_limiter::give_back(const bucket& to) {
  stripe& held = stripe_of(to.key);
  const std::lock_guard lock(held.mutex);
  const auto at = held.by_key.find(to.key);
  if (at == held.by_key.end()) return;
  at->second->full_at_ns[to.slot] -= to.token_ns;
  note(held, to, -to.token_ns);
}

// With the lock held.
void rate_limiter::note(stripe& in, const bucket& from, std::int64_t ns) {
  if (!sharing_.load(std::memory_order_relaxed)) return;
  auto at = in.taken.find(from.key);
  if (at == in.taken.end()) {
    if (in.taken.size() >= shared_max / stripe_count) return;
    at = in.taken.emplace(from.key, std::array<std::int64_t, rate_class_count>{}).first;
  }
  at->second[from.slot] += ns;
}

void rate_limiter::share() { sharing_ = true; }

std::vector<rate_limiter::spent> rate_limiter::drain() {
  std::vector<spent> all;
  for (auto& each : stripes_) {
    const std::lock_guard lock(each.mutex);
    for (const auto& [key, slots] : each.taken) {
      for (std::size_t slot = 0; slot < slots.size(); ++slot) {
        if (slots[slot] > 0) all.push_back({key, static_cast<std::uint8_t>(slot), slots[slot]});
      }
    }
    each.taken.clear();
  }
  return all;
}

void rate_limiter::absorb(const std::vector<spent>& elsewhere) {
  const rules* by = rules_.load(std::memory_order_acquire);
  for (const auto& each : elsewhere) {
    if (each.slot >= rate_class_count || each.ns <= 0) continue;
    stripe& held = stripe_of(each.key);
    const std::lock_guard lock(held.mutex);
    const std::int64_t now = std::chrono::nanoseconds(time_.monotonic()).count();
    std::int64_t& full_at = find(held, each.key, by->stripe_max).full_at_ns[each.slot];
    // What is owed is cut where it is asked for, by the size of that bucket.
    full_at = std::max(full_at, now) + std::min(each.ns, std::int64_t{3'600} * second_ns);
  }
}

}  // namespace omnicart::http
