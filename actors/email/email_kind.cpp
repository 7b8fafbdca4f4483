#include "actors/email/email_kind.hpp"

namespace omnicart::email {
namespace {

std::size_t heap_bytes(const std::string& text) {
  return text.capacity() > std::string{}.capacity() ? text.capacity() + 1 : 0;
}

}  // namespace

result<events> kind::decide(const state& s, const command& what, const context& ctx) {
  return email::decide(s, what, ctx);
}
void kind::apply(state& s, const event& what) { email::apply(s, what); }
void kind::check(const state& s) { email::check(s); }
void kind::check_full(const state& s) { email::check_full(s); }
std::string kind::reply(const state& s, const command&, const context&) {
  return encode_reply({.user = s.user});
}

// A claim owes nobody anything: no effects, no timer.
std::vector<effect> kind::pending(const state&, std::size_t) { return {}; }
std::optional<command> kind::settle(const state&, std::string_view, const answer&) {
  return std::nullopt;
}
std::optional<timestamp_ms> kind::wake_at(const state&) { return std::nullopt; }
command kind::wake() { return look_up{}; }
bool kind::in_progress(const state&) { return false; }
bool kind::is_blank(const state& s) { return s.user.empty(); }

std::size_t kind::memory_bytes(const state& s) {
  return heap_bytes(s.address) + heap_bytes(s.user.str());
}

}  // namespace omnicart::email
