#include "actors/gift_card/gift_card_kind.hpp"

namespace omnicart::gift_card {

result<std::vector<event>> kind::decide(const state& now, const command& what, const context& ctx) {
  return gift_card::decide(now, what, ctx);
}
void kind::apply(state& now, const event& what) { gift_card::apply(now, what); }
void kind::check(const state& now) { gift_card::check_rules(now); }
void kind::check_full(const state& now) { gift_card::check_full(now); }
std::string kind::reply(const state& now, const command& what, const context&) {
  return encode(gift_card::view_of(now, what));
}

std::vector<effect> kind::pending(const state&, std::size_t) { return {}; }
std::optional<command> kind::settle(const state&, std::string_view, const answer&) {
  return std::nullopt;
}
std::optional<timestamp_ms> kind::wake_at(const state&) { return std::nullopt; }
command kind::wake() { return get{}; }  // never asked for: there is no wake_at
bool kind::in_progress(const state&) { return false; }
std::size_t kind::memory_bytes(const state& now) { return gift_card::memory_bytes(now); }

std::string kind::encode_command(const command& what) { return encode(what); }
result<command> kind::decode_command(std::string_view bytes) {
  return gift_card::decode_command(bytes);
}
std::string kind::encode_event(const event& what) { return gift_card::encode_event(what); }
result<event> kind::decode_event(std::string_view bytes) { return gift_card::decode_event(bytes); }
std::string kind::encode_state(const state& now) { return gift_card::encode_state(now); }
result<state> kind::decode_state(std::string_view bytes) { return gift_card::decode_state(bytes); }
std::string kind::describe_event(const event& what) { return gift_card::describe_event(what); }
std::string kind::describe_state(const state& now) { return gift_card::describe_state(now); }

}  // namespace omnicart::gift_card
