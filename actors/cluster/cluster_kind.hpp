#pragma once

#include <string>
#include <string_view>

#include "actors/cluster/cluster.hpp"

namespace omnicart::cluster_record {

// The line of the registry for the cluster's record; see entity_kind in runtime/kind.hpp for each
// member's promise. What happened is told by the log of operations, so history is cut, and with it
// the secrets of keys long expired.
struct kind {
  using state = cluster_record::state;
  using command = cluster_record::command;
  using event = cluster_record::event;

  static constexpr std::string_view name = "cluster";
  static constexpr bool keep_history = false;

  static result<events> decide(const state& s, const command& what, const context& ctx);
  static void apply(state& s, const event& what);
  static void check(const state& s);
  static void check_full(const state& s);
  static std::string reply(const state& s, const command& what, const context& ctx);
  // A record owes nobody anything and never wakes.
  static std::vector<effect> pending(const state& s, std::size_t limit);
  static std::optional<command> settle(const state& s, std::string_view effect_key,
                                       const answer& got);
  static std::optional<timestamp_ms> wake_at(const state& s);
  static command wake();
  static bool in_progress(const state& s);
  static std::size_t memory_bytes(const state& s);

  // cluster_codec.cpp. Descriptions show a key's fingerprint in place of its secret.
  static std::string encode_reply(const cluster_record::reply& what);
  static std::string encode_command(const command& what);
  static result<command> decode_command(std::string_view bytes);
  static std::string encode_event(const event& what);
  static result<event> decode_event(std::string_view bytes);
  static std::string encode_state(const state& s);
  static result<state> decode_state(std::string_view bytes);
  static std::string describe_event(const event& what);
  static std::string describe_state(const state& s);
};

}  // namespace omnicart::cluster_record
