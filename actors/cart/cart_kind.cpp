#include "actors/cart/cart_kind.hpp"

namespace omnicart::cart {

result<std::vector<event>> kind::decide(const state& now, const command& what, const context& ctx) {
  return cart::decide(now, what, ctx);
}
void kind::apply(state& now, const event& what) { cart::apply(now, what); }
void kind::check(const state& now) { cart::check(now); }
void kind::check_full(const state& now) { cart::check_full(now); }
std::string kind::reply(const state& now, const command& what, const context&) {
  return encode(reply_to(now, what));
}

std::string kind::keepsake(const state& now, const command& what) {
  return encode_touched(touched_by(now, what));
}
std::string kind::reply_again(const state& now, const command& what, const context&,
                              std::string_view kept) {
  return encode(cart::reply_again(now, what, decode_touched(kept)));
}

std::vector<effect> kind::pending(const state&, std::size_t) { return {}; }
std::optional<command> kind::settle(const state&, std::string_view, const answer&) {
  return std::nullopt;
}
std::optional<timestamp_ms> kind::wake_at(const state& now, const settings& with) {
  return cart::wake_at(now, with);
}
command kind::wake(const settings& with) {
  return cart::wake{.abandoned_after = with.abandoned_after};
}
bool kind::is_blank(const state& now) { return cart::is_blank(now); }
bool kind::in_progress(const state&) { return false; }
std::size_t kind::memory_bytes(const state& now) { return cart::memory_bytes(now); }

std::string kind::encode_command(const command& what) { return encode(what); }
result<command> kind::decode_command(std::string_view bytes) { return cart::decode_command(bytes); }
std::string kind::encode_event(const event& what) { return cart::encode_event(what); }
result<event> kind::decode_event(std::string_view bytes) { return cart::decode_event(bytes); }
std::string kind::encode_state(const state& now) { return cart::encode_state(now); }
result<state> kind::decode_state(std::string_view bytes) { return cart::decode_state(bytes); }
std::string kind::describe_event(const event& what) { return cart::describe_event(what); }
std::string kind::describe_state(const state& now) { return cart::describe_state(now); }

}  // namespace omnicart::cart
