#include "actors/stock/stock_kind.hpp"

namespace omnicart::stock {

result<std::vector<event>> kind::decide(const state& now, const command& what, const context& ctx) {
  return stock::decide(now, what, ctx);
}
void kind::apply(state& now, const event& what) { stock::apply(now, what); }
void kind::check(const state& now) { stock::check(now); }
void kind::check_full(const state& now) { stock::check_full(now); }
std::string kind::reply(const state& now, const command& what, const context& ctx) {
  return encode(reply_to(now, what, ctx.asker.as));
}

std::vector<effect> kind::pending(const state&, std::size_t) { return {}; }
std::optional<command> kind::settle(const state&, std::string_view, const answer&) {
  return std::nullopt;
}
std::optional<timestamp_ms> kind::wake_at(const state& now) { return stock::wake_at(now); }
command kind::wake() { return stock::wake{}; }
bool kind::in_progress(const state&) { return false; }
std::size_t kind::memory_bytes(const state& now) { return stock::memory_bytes(now); }

std::string kind::encode_command(const command& what) { return encode(what); }
result<command> kind::decode_command(std::string_view bytes) {
  return stock::decode_command(bytes);
}
std::string kind::encode_event(const event& what) { return stock::encode_event(what); }
result<event> kind::decode_event(std::string_view bytes) { return stock::decode_event(bytes); }
std::string kind::encode_state(const state& now) { return stock::encode_state(now); }
result<state> kind::decode_state(std::string_view bytes) { return stock::decode_state(bytes); }
std::string kind::describe_event(const event& what) { return stock::describe_event(what); }
std::string kind::describe_state(const state& now) { return stock::describe_state(now); }

}  // namespace omnicart::stock
