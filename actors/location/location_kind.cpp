#include "actors/location/location_kind.hpp"

namespace omnicart::location {

result<std::vector<event>> kind::decide(const state& now, const command& what, const context& ctx) {
  return location::decide(now, what, ctx);
}
void kind::apply(state& now, const event& what) { location::apply(now, what); }
void kind::check(const state& now) { location::check_rules(now); }
void kind::check_full(const state& now) { location::check_full(now); }
std::string kind::reply(const state& now, const command& what, const context& ctx) {
  return encode(location::reply_to(now, what, ctx));
}

std::vector<effect> kind::pending(const state&, std::size_t) { return {}; }
std::optional<command> kind::settle(const state&, std::string_view, const answer&) {
  return std::nullopt;
}
std::optional<timestamp_ms> kind::wake_at(const state&) { return std::nullopt; }
command kind::wake() { return get{}; }  // never asked for: there is no wake_at
bool kind::in_progress(const state&) { return false; }
std::size_t kind::memory_bytes(const state& now) { return location::memory_bytes(now); }

std::string kind::encode_command(const command& what) { return encode(what); }
result<command> kind::decode_command(std::string_view bytes) {
  return location::decode_command(bytes);
}
std::string kind::encode_event(const event& what) { return location::encode_event(what); }
result<event> kind::decode_event(std::string_view bytes) { return location::decode_event(bytes); }
std::string kind::encode_state(const state& now) { return location::encode_state(now); }
result<state> kind::decode_state(std::string_view bytes) { return location::decode_state(bytes); }
std::string kind::describe_event(const event& what) { return location::describe_event(what); }
std::string kind::describe_state(const state& now) { return location::describe_state(now); }

}  // namespace omnicart::location
