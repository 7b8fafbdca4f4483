#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/location/location.hpp"

namespace omnicart::location {

// The rules of a stock location in the shape of entity_kind (runtime/kind.hpp), for the registry.
struct kind {
  using state = location::state;
  using command = location::command;
  using event = location::event;

  static constexpr std::string_view name = "location";
  static constexpr bool keep_history = true;

  static result<std::vector<event>> decide(const state& now, const command& what,
                                           const context& ctx);
  static void apply(state& now, const event& what);
  static void check(const state& now);
  static void check_full(const state& now);
  static std::string reply(const state& now, const command& what, const context& ctx);
  // A location owes nobody anything, and never wakes.
  static std::vector<effect> pending(const state& now, std::size_t limit);
  static std::optional<command> settle(const state& now, std::string_view key, const answer& got);
  static std::optional<timestamp_ms> wake_at(const state& now);
  static command wake();
  static bool in_progress(const state& now);
  static std::size_t memory_bytes(const state& now);
  static std::string encode_command(const command& what);
  static result<command> decode_command(std::string_view bytes);
  static std::string encode_event(const event& what);
  static result<event> decode_event(std::string_view bytes);
  static std::string encode_state(const state& now);
  static result<state> decode_state(std::string_view bytes);
  static std::string describe_event(const event& what);
  static std::string describe_state(const state& now);
};

}  // namespace omnicart::location
