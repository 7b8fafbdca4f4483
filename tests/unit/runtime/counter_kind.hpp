#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"
#include "runtime/kind.hpp"

// The smallest kind that exercises the host: a number that can be added to, and that may owe another counter an
// addition of the same amount (or several others, each).
namespace omnicart::counter {

enum class errc : error_number { too_much = 9'000 };

struct add {
  std::int64_t amount = 0;
  std::string tell;  // ids of counters that must get the same amount, each of one letter
  OMNICART_FIELDS(amount, tell)
};
struct told {
  std::string who;
  OMNICART_FIELDS(who)
};
struct get {
  OMNICART_FIELDS()
};
struct ring_at {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};
struct rung {
  OMNICART_FIELDS()
};
using command = std::variant<add, told, get, ring_at, rung>;

struct added {
  std::int64_t amount = 0;
  std::string tell;
  OMNICART_FIELDS(amount, tell)
};
struct settled {
  std::string who;
  OMNICART_FIELDS(who)
};
struct ring_set {
  timestamp_ms at;
  OMNICART_FIELDS(at)
};
struct rang {
  OMNICART_FIELDS()
};
using event = std::variant<added, settled, ring_set, rang>;

struct debt {
  std::string who;
  std::int64_t amount = 0;
  OMNICART_FIELDS(who, amount)
};
struct state {
  std::int64_t total = 0;
  std::vector<debt> owed;
  std::optional<timestamp_ms> ring;
  std::int64_t rings = 0;
  OMNICART_FIELDS(total, owed, ring, rings)
};

inline bool owes(const state& s, const std::string& who) {
  return std::any_of(s.owed.begin(), s.owed.end(), [&](const debt& d) { return d.who == who; });
}

struct kind {
  static constexpr std::string_view name = "counter";
  static constexpr bool keep_history = false;
  using state = counter::state;
  using command = counter::command;
  using event = counter::event;

  static result<std::vector<event>> decide(const state& s, const command& c, const context& ctx) {
    std::vector<event> events;
    if (const auto* a = std::get_if<add>(&c)) {
      if (a->amount > 1'000) return fail(errc::too_much, "at most 1,000 at a time");
      events.push_back(added{a->amount, a->tell});
    } else if (const auto* t = std::get_if<told>(&c)) {
      if (owes(s, t->who)) events.push_back(settled{t->who});
    } else if (const auto* r = std::get_if<ring_at>(&c)) {
      events.push_back(ring_set{r->at});
    } else if (std::holds_alternative<rung>(c)) {
      if (s.ring && *s.ring <= ctx.now) events.push_back(rang{});
    }
    return events;
  }
  static void apply(state& s, const event& e) {
    if (const auto* a = std::get_if<added>(&e)) {
      s.total += a->amount;
      for (const char who : a->tell) s.owed.push_back({std::string(1, who), a->amount});
    } else if (const auto* done = std::get_if<settled>(&e)) {
      std::erase_if(s.owed, [&](const debt& d) { return d.who == done->who; });
    } else if (const auto* r = std::get_if<ring_set>(&e)) {
      s.ring = r->at;
    } else {
      s.ring.reset();
      ++s.rings;
    }
  }
  static void check(const state&) {}
  static void check_full(const state&) {}
  static std::string reply(const state& s, const command&, const context&) { return codec::encode(s.total); }
  // The total that an addition came to is remembered for whoever repeats it.
  static std::string keepsake(const state& s, const command& c) {
    return std::holds_alternative<add>(c) ? codec::encode(s.total) : std::string();
  }
  static std::string reply_again(const state& s, const command& c, const context& ctx, std::string_view kept) {
    return kept.empty() ? reply(s, c, ctx) : std::string(kept);
  }
  static std::vector<effect> pending(const state& s, std::size_t limit) {
    std::vector<effect> all;
    for (const auto& [who, amount] : s.owed) {
      if (all.size() == limit) break;
      all.push_back({.key = who, .to = {"counter", who}, .command = codec::encode(command{add{amount, ""}})});
    }
    return all;
  }
  static std::optional<command> settle(const state&, std::string_view key, const answer& got) {
    if (!got.ok()) return std::nullopt;
    return told{std::string(key)};
  }
  // A counter that came to 0 and owes nobody has ended.
  static bool is_blank(const state& s) { return s.total == 0 && s.owed.empty() && s.rings == 0 && !s.ring; }
  static std::optional<timestamp_ms> wake_at(const state& s) { return s.ring; }
  static command wake() { return rung{}; }
  static bool in_progress(const state& s) { return !s.owed.empty(); }
  static std::size_t memory_bytes(const state& s) { return s.owed.size() * 64; }
  static std::string encode_command(const command& c) { return codec::encode(c); }
  static result<command> decode_command(std::string_view b) { return codec::decode<command>(b); }
  static std::string encode_event(const event& e) { return codec::encode(e); }
  static result<event> decode_event(std::string_view b) { return codec::decode<event>(b); }
  static std::string encode_state(const state& s) { return codec::encode(s); }
  static result<state> decode_state(std::string_view b) { return codec::decode<state>(b); }
  static std::string describe_event(const event& e) { return describe::to_json(e); }
  static std::string describe_state(const state& s) { return describe::to_json(s); }
};

}  // namespace omnicart::counter
