#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/kind.hpp"

namespace omnicart::trial {

inline const caller system{.as = role::system, .session = {}, .user = {}};
inline const caller support{.as = role::support, .session = {}, .user = {}};
inline const caller nobody{};
inline timestamp_ms at(std::int64_t seconds) { return timestamp_ms{std::chrono::seconds{seconds}}; }

inline std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// The seeds to run: OMNICART_SEED alone when it is set.
inline std::vector<std::uint32_t> seeds(std::uint32_t count) {
  if (const char* one = std::getenv("OMNICART_SEED")) {
    return {static_cast<std::uint32_t>(std::strtoul(one, nullptr, 10))};
  }
  std::vector<std::uint32_t> list(count);
  for (std::uint32_t i = 0; i < count; ++i) list[i] = i + 1;
  return list;
}

// One entity of a kind, run as the host runs it: every command and event passes its codec, every
// invariant is checked after every event, and what was decided is kept for a replay.
template <entity_kind K>
class subject {
 public:
  using state = typename K::state;
  using command = typename K::command;

  // The refusal's number, or 0; the names of the events are in `names` afterwards.
  error_number give(const command& what, const caller& asker = system) {
    names.clear();
    const auto sent = K::decode_command(K::encode_command(what));
    BOOST_REQUIRE(sent.has_value());
    const context ctx{.now = now, .command = {}, .asker = asker};
    const auto events = K::decide(s, *sent, ctx);
    if (!events) {
      refusal = events.error();
      return refusal.number;
    }
    for (const auto& event : *events) {
      log.push_back(K::encode_event(event));
      K::apply(s, event);
      K::check(s);
      K::check_full(s);
      names += (names.empty() ? "" : " ") + name_of(K::describe_event(event));
    }
    reply = K::reply(s, *sent, ctx);
    return 0;
  }

  // As after a restart, from a snapshot.
  void reload() {
    const std::string bytes = K::encode_state(s);
    auto read = K::decode_state(bytes);
    BOOST_REQUIRE(read.has_value());
    BOOST_REQUIRE(*read == s);
    BOOST_REQUIRE(K::encode_state(*read) == bytes);
    s = std::move(*read);
  }

  // The same events give the same bytes.
  void check_replay() const {
    state again{};
    for (const auto& bytes : log) {
      const auto event = K::decode_event(bytes);
      BOOST_REQUIRE(event.has_value());
      BOOST_REQUIRE(K::encode_event(*event) == bytes);
      K::apply(again, *event);
      K::check(again);
    }
    BOOST_REQUIRE(K::encode_state(again) == K::encode_state(s));
  }

  bool owes(std::string_view key) const {
    for (const auto& effect : K::pending(s, 1000)) {
      if (effect.key == key) return true;
    }
    return false;
  }
  // Answers an effect and runs the command that follows; false when it is to be sent again.
  bool answered(std::string_view key, const answer& got) {
    const auto next = K::settle(s, key, got);
    if (next) give(*next);
    return next.has_value();
  }

  state s{};
  timestamp_ms now = at(1000);
  std::vector<std::string> log;
  std::string names, reply;
  error refusal;

 private:
  static std::string name_of(const std::string& description) {
    const auto start = std::string_view(R"({"event":")").size();
    return description.substr(start, description.find('"', start) - start);
  }
};

template <class E>
answer refused(E code) {
  return {.failure = make_error(code), .payload = {}};
}

// A row of a rule table: given these commands (by the system), this one by `asker` gives `code` or
// `events`.
template <class K>
struct row {
  const char* claim;
  std::vector<typename K::command> given;
  typename K::command command;
  std::optional<caller> asker{};  // the system
  error_number code = 0;
  std::string events;
  std::int64_t later_s = 0;  // time that passes before the command
};

template <class K>
void check_table(const std::vector<row<K>>& table) {
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.claim) {
      subject<K> one;
      for (const auto& command : row.given) BOOST_TEST(one.give(command) == 0);
      one.now += std::chrono::seconds{row.later_s};
      const auto before = K::encode_state(one.s);
      BOOST_TEST(one.give(row.command, row.asker.value_or(system)) == row.code);
      BOOST_TEST(one.names == row.events);
      if (row.events.empty()) BOOST_TEST((K::encode_state(one.s) == before));
      one.reload();
      one.check_replay();
    }
  }
}

template <class E>
constexpr error_number number(E code) {
  return static_cast<error_number>(code);
}

}  // namespace omnicart::trial
