#pragma once

#include "actors/keyring/keyring.hpp"

namespace omnicart::keyring {

// The line of the registry; see entity_kind in runtime/kind.hpp for each member's promise.
struct kind {
  using state = keyring::state;
  using command = keyring::command;
  using event = keyring::event;

  static constexpr std::string_view name = "keyring";
  static constexpr bool keep_history = false;

  static result<events> decide(const state& s, const command& what, const context& ctx);
  static void apply(state& s, const event& what);
  static void check(const state& s);
  static void check_full(const state& s);
  static std::string reply(const state& s, const command& what, const context& ctx);
  static std::vector<effect> pending(const state& s, std::size_t limit);
  static std::optional<command> settle(const state& s, std::string_view key, const answer& got);
  static std::optional<timestamp_ms> wake_at(const state& s);
  static command wake();
  static bool in_progress(const state& s);
  static std::size_t memory_bytes(const state& s);
  static std::string encode_command(const command& what);
  static result<command> decode_command(std::string_view bytes);
  static std::string encode_event(const event& what);
  static result<event> decode_event(std::string_view bytes);
  static std::string encode_state(const state& s);
  static result<state> decode_state(std::string_view bytes);
  static std::string describe_event(const event& what);
  static std::string describe_state(const state& s);
};

}  // namespace omnicart::keyring
