#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/assert.hpp"
#include "runtime/base/entity.hpp"

namespace omnicart {

// What a folder under actors/ gives the engine: one struct of this shape. All functions are pure.
//
//   decide        guards, then events; a refusal changes nothing
//   apply         total; a recorded event always applies
//   check         O(1) invariants, after every apply; check_full the whole state, at snapshot and activation
//   reply         the encoded answer to a command, from the state after it; called again for a repeated command
//   pending       what the entity still owes others, at most `limit` of it, oldest first
//   settle        turns the answer to an effect into a command to the entity itself; nothing: try again later
//                 (faults never reach settle: the host retries them)
//   wake_at/wake  when the entity wants the command wake() next, if at all
//   in_progress   answers to patient callers wait until this is false
template <class K>
concept entity_kind = requires(typename K::state& state, const typename K::state& view,
                               const typename K::command& command, const typename K::event& event,
                               const context& ctx, const answer& got, std::string_view text,
                               std::size_t limit) {
  { K::name } -> std::convertible_to<std::string_view>;
  { K::keep_history } -> std::convertible_to<bool>;  // false: history is cut at each snapshot
  { K::decide(view, command, ctx) } -> std::same_as<result<std::vector<typename K::event>>>;
  K::apply(state, event);
  K::check(view);
  K::check_full(view);
  { K::reply(view, command, ctx) } -> std::same_as<std::string>;
  { K::pending(view, limit) } -> std::same_as<std::vector<effect>>;
  { K::settle(view, text, got) } -> std::same_as<std::optional<typename K::command>>;
  { K::wake_at(view) } -> std::same_as<std::optional<timestamp_ms>>;
  { K::wake() } -> std::same_as<typename K::command>;
  { K::in_progress(view) } -> std::same_as<bool>;
  { K::memory_bytes(view) } -> std::same_as<std::size_t>;
  { K::encode_command(command) } -> std::same_as<std::string>;
  { K::decode_command(text) } -> std::same_as<result<typename K::command>>;
  { K::encode_event(event) } -> std::same_as<std::string>;
  { K::decode_event(text) } -> std::same_as<result<typename K::event>>;
  { K::encode_state(view) } -> std::same_as<std::string>;
  { K::decode_state(text) } -> std::same_as<result<typename K::state>>;
  // JSON text for operators and the history call: {"event": "line_added", …}.
  { K::describe_event(event) } -> std::same_as<std::string>;
  { K::describe_state(view) } -> std::same_as<std::string>;
};

// A kind whose answer cannot always be found in its state again may have two more:
//
//   keepsake      what the answer to a repeated command needs besides the state; empty: nothing. Called once, after
//                 the command's events, and kept with its receipt for 72 h: a few bytes
//   reply_again   the answer to a repeated command, with what was kept (empty for receipts of older builds)
template <class K>
concept keeps_something = requires(const typename K::state& view, const typename K::command& command,
                                   const context& ctx, std::string_view kept) {
  { K::keepsake(view, command) } -> std::same_as<std::string>;
  { K::reply_again(view, command, ctx, kept) } -> std::same_as<std::string>;
};

// A kind may have settings, given where it is registered and passed to wake_at and wake: they say when the entity acts by
// itself, never what an event does.
template <class K>
concept has_settings = requires(const typename K::state& view, const typename K::settings& with) {
  { K::wake_at(view, with) } -> std::same_as<std::optional<timestamp_ms>>;
  { K::wake(with) } -> std::same_as<typename K::command>;
};
struct no_settings {};
template <class K>
struct settings_of_kind {
  using type = no_settings;
};
template <has_settings K>
struct settings_of_kind<K> {
  using type = typename K::settings;
};

// A kind whose entities come to an end may have is_blank(view): nothing is left that anybody could ask for, the state is
// as if there had never been an event. Then its keys leave the store, and its versions begin anew.
template <class K>
concept may_end = requires(const typename K::state& view) {
  { K::is_blank(view) } -> std::same_as<bool>;
};

// What a command did: the encoded events (none for a read or a repeated command) and the encoded reply.
struct outcome {
  std::vector<std::string> events;
  std::string reply;
  std::string keepsake;  // for the receipt, and for an answer that waits until the entity is done
};

// The state of one activated entity with its kind's rules, types erased. Not thread-safe: owned by one host.
class entity {
 public:
  virtual ~entity() = default;
  // `read_only`, when not null, refuses a command that would leave events (before any is applied).
  virtual result<outcome> execute(std::string_view command, const context& ctx, const error* read_only) = 0;
  // The reply to a command that had run before, from the state as it is now and what was kept then.
  virtual result<std::string> reply_again(std::string_view command, const context& ctx, std::string_view kept) = 0;
  virtual status replay(std::string_view event) = 0;
  virtual status restore(std::string_view state) = 0;
  virtual std::string encode_state() const = 0;
  virtual std::vector<effect> pending(std::size_t limit) const = 0;
  virtual std::optional<std::string> settle(std::string_view effect_key, const answer& got) const = 0;
  virtual std::optional<timestamp_ms> wake_at() const = 0;
  virtual std::string wake_command() const = 0;
  virtual bool in_progress() const = 0;
  virtual bool blank() const = 0;
  virtual void check_full() const = 0;
  virtual std::size_t memory_bytes() const = 0;
  virtual std::string describe() const = 0;
};

template <entity_kind K>
class entity_of final : public entity {
 public:
  using settings = typename settings_of_kind<K>::type;
  static_assert(!may_end<K> || !K::keep_history, "what is kept for ever does not end");

  explicit entity_of(const settings& with = {}) : settings_(with) {}

  result<outcome> execute(std::string_view bytes, const context& ctx, const error* read_only) override {
    auto command = K::decode_command(bytes);
    if (!command) return fail(std::move(command.error()));
    auto events = K::decide(state_, *command, ctx);
    if (!events) return fail(std::move(events.error()));
    if (read_only && !events->empty()) return fail(*read_only);
    outcome done;
    done.events.reserve(events->size());
    for (const auto& event : *events) {
      K::apply(state_, event);
      K::check(state_);
      done.events.push_back(K::encode_event(event));
    }
    done.reply = K::reply(state_, *command, ctx);
    if constexpr (keeps_something<K>) {
      done.keepsake = K::keepsake(state_, *command);
    }
    return done;
  }
  result<std::string> reply_again(std::string_view bytes, const context& ctx,
                                  [[maybe_unused]] std::string_view kept) override {
    auto command = K::decode_command(bytes);
    if (!command) return fail(std::move(command.error()));
    if constexpr (keeps_something<K>) return K::reply_again(state_, *command, ctx, kept);
    return K::reply(state_, *command, ctx);
  }
  status replay(std::string_view bytes) override {
    auto event = K::decode_event(bytes);
    if (!event) return fail(std::move(event.error()));
    K::apply(state_, *event);
    K::check(state_);
    return {};
  }
  status restore(std::string_view bytes) override {
    auto state = K::decode_state(bytes);
    if (!state) return fail(std::move(state.error()));
    state_ = std::move(*state);
    K::check_full(state_);
    return {};
  }
  std::string encode_state() const override { return K::encode_state(state_); }
  std::vector<effect> pending(std::size_t limit) const override { return K::pending(state_, limit); }
  std::optional<std::string> settle(std::string_view key, const answer& got) const override {
    auto command = K::settle(state_, key, got);
    if (!command) return std::nullopt;
    return K::encode_command(*command);
  }
  std::optional<timestamp_ms> wake_at() const override {
    if constexpr (has_settings<K>) return K::wake_at(state_, settings_);
    return K::wake_at(state_);
  }
  std::string wake_command() const override {
    if constexpr (has_settings<K>) return K::encode_command(K::wake(settings_));
    return K::encode_command(K::wake());
  }
  bool in_progress() const override { return K::in_progress(state_); }
  bool blank() const override {
    if constexpr (may_end<K>) return K::is_blank(state_);
    return false;
  }
  void check_full() const override { K::check_full(state_); }
  std::size_t memory_bytes() const override { return sizeof(*this) + K::memory_bytes(state_); }
  std::string describe() const override { return K::describe_state(state_); }

 private:
  typename K::state state_{};
  [[no_unique_address]] settings settings_;
};

// One line of the registry.
struct kind_entry {
  std::string_view name;
  bool keep_history = true;
  std::function<std::unique_ptr<entity>()> make;
  result<std::string> (*describe_event)(std::string_view event) = nullptr;
};

template <entity_kind K>
kind_entry kind_of(const typename settings_of_kind<K>::type& with = {}) {
  return {.name = K::name,
          .keep_history = K::keep_history,
          .make = [with]() -> std::unique_ptr<entity> { return std::make_unique<entity_of<K>>(with); },
          .describe_event = [](std::string_view bytes) -> result<std::string> {
            auto event = K::decode_event(bytes);
            if (!event) return fail(std::move(event.error()));
            return K::describe_event(*event);
          }};
}

// The kinds this node knows. Immutable once built; shared by all threads.
class kind_registry {
 public:
  explicit kind_registry(std::vector<kind_entry> kinds);
  const kind_entry* find(std::string_view name) const;

 private:
  std::map<std::string, kind_entry, std::less<>> kinds_;
};

}  // namespace omnicart
