#include "actors/order/order_kind.hpp"

#include <charconv>

#include "actors/order/order_after.hpp"
#include "actors/order/order_codec.hpp"

namespace omnicart::order {
namespace {

std::string reply_with(const state& s, const command& what, std::uint32_t made) {
  if (!is_asked_by_people(what)) return {};
  order_view shown = view(s);
  shown.made = made;
  return encode_reply(shown);
}

}  // namespace

result<std::vector<event>> kind::decide(const state& s, const command& what, const context& ctx) {
  return order::decide(s, what, ctx);
}
void kind::apply(state& s, const event& what) { order::apply(s, what); }
void kind::check(const state& s) { order::check(s); }
void kind::check_full(const state& s) { order::check_full(s); }
std::string kind::reply(const state& s, const command& what, const context&) {
  return reply_with(s, what, newest_record(s, what));
}
std::string kind::keepsake(const state& s, const command& what) {
  const std::uint32_t made = newest_record(s, what);
  return made == 0 ? std::string{} : std::to_string(made);
}
std::string kind::reply_again(const state& s, const command& what, const context&,
                              std::string_view kept) {
  std::uint32_t made = 0;
  std::from_chars(kept.data(), kept.data() + kept.size(), made);
  return reply_with(s, what, made);
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
bool kind::in_progress(const state& s) { return order::in_progress(s) || owes_refund(s); }
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
