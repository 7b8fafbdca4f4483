#include "actors/order/order_kind.hpp"

#include "actors/order/order_codec.hpp"

namespace omnicart::order {
namespace {

bool asked_from_outside(const command& what) {
  return std::holds_alternative<place>(what) || std::holds_alternative<get>(what) ||
         std::holds_alternative<set_status>(what) || std::holds_alternative<cancel>(what);
}

}  // namespace

result<std::vector<event>> kind::decide(const state& s, const command& what, const context& ctx) {
  return order::decide(s, what, ctx);
}
void kind::apply(state& s, const event& what) { order::apply(s, what); }
void kind::check(const state& s) { order::check(s); }
void kind::check_full(const state& s) { order::check_full(s); }
std::string kind::reply(const state& s, const command& what, const context&) {
  return asked_from_outside(what) ? encode_reply(view(s)) : std::string{};
}
std::vector<effect> kind::pending(const state& s, std::size_t limit) {
  return order::pending(s, limit);
}
std::optional<command> kind::settle(const state& s, std::string_view effect_key,
                                    const answer& got) {
  return order::settle(s, effect_key, got);
}
std::optional<timestamp_ms> kind::wake_at(const state& s) { return order::wake_at(s); }
command kind::wake() { return order::wake{}; }
bool kind::in_progress(const state& s) { return order::in_progress(s); }
std::size_t kind::memory_bytes(const state& s) { return order::memory_bytes(s); }
std::string kind::encode_command(const command& what) { return encode(what); }
result<command> kind::decode_command(std::string_view bytes) {
  return order::decode_command(bytes);
}
std::string kind::encode_event(const event& what) { return order::encode_event(what); }
result<event> kind::decode_event(std::string_view bytes) { return order::decode_event(bytes); }
std::string kind::encode_state(const state& s) { return order::encode_state(s); }
result<state> kind::decode_state(std::string_view bytes) { return order::decode_state(bytes); }
std::string kind::describe_event(const event& what) { return order::describe_event(what); }
std::string kind::describe_state(const state& s) { return order::describe_state(s); }

}  // namespace omnicart::order
