#include "actors/coupon/coupon_kind.hpp"

namespace omnicart::coupon {

result<std::vector<event>> kind::decide(const state& now, const command& what, const context& ctx) {
  return coupon::decide(now, what, ctx);
}
void kind::apply(state& now, const event& what) { coupon::apply(now, what); }
void kind::check(const state& now) { coupon::check_rules(now); }
void kind::check_full(const state& now) { coupon::check_full(now); }
std::string kind::reply(const state& now, const command&, const context&) {
  return encode(coupon::view_of(now));
}

std::vector<effect> kind::pending(const state&, std::size_t) { return {}; }
std::optional<command> kind::settle(const state&, std::string_view, const answer&) {
  return std::nullopt;
}
std::optional<timestamp_ms> kind::wake_at(const state&) { return std::nullopt; }
command kind::wake() { return get{}; }  // never asked for: there is no wake_at
bool kind::in_progress(const state&) { return false; }
std::size_t kind::memory_bytes(const state& now) { return coupon::memory_bytes(now); }

std::string kind::encode_command(const command& what) { return encode(what); }
result<command> kind::decode_command(std::string_view bytes) {
  return coupon::decode_command(bytes);
}
std::string kind::encode_event(const event& what) { return coupon::encode_event(what); }
result<event> kind::decode_event(std::string_view bytes) { return coupon::decode_event(bytes); }
std::string kind::encode_state(const state& now) { return coupon::encode_state(now); }
result<state> kind::decode_state(std::string_view bytes) { return coupon::decode_state(bytes); }
std::string kind::describe_event(const event& what) { return coupon::describe_event(what); }
std::string kind::describe_state(const state& now) { return coupon::describe_state(now); }

}  // namespace omnicart::coupon
