#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/order/order.hpp"

namespace omnicart::order {

// The order as an entity kind (runtime/kind.hpp). History is kept: it answers who did what when.
struct kind {
  using state = order::state;
  using command = order::command;
  using event = order::event;

  static constexpr std::string_view name = "order";
  static constexpr bool keep_history = true;

  static result<std::vector<event>> decide(const state& s, const command& what, const context& ctx);
  static void apply(state& s, const event& what);
  static void check(const state& s);
  static void check_full(const state& s);
  // Empty for the order's own commands: nobody reads it, and the view of a long order is long.
  static std::string reply(const state& s, const command& what, const context& ctx);
  // The number of the record that a command made, so that repeating it names the same one.
  static std::string keepsake(const state& s, const command& what);
  static std::string reply_again(const state& s, const command& what, const context& ctx,
                                 std::string_view kept);
  static std::vector<effect> pending(const state& s, std::size_t limit);
  static std::optional<command> settle(const state& s, std::string_view effect_key,
                                       const answer& got);
  static std::optional<timestamp_ms> wake_at(const state& s);
  static command wake();
  // Also while a refund is on its way that a caller may wait for.
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

}  // namespace omnicart::order
