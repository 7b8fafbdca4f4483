#include "actors/audit/audit_kind.hpp"

#include <charconv>

#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"

namespace omnicart::audit {

result<events> kind::decide(const state& s, const command& what, const context& ctx) {
  return audit::decide(s, what, ctx);
}
void kind::apply(state& s, const event& what) { audit::apply(s, what); }
void kind::check(const state& s) { audit::check(s); }
void kind::check_full(const state& s) { audit::check(s); }
std::string kind::reply(const state& s, const command&, const context&) {
  return codec::encode(audit_view{.entries = s.entries, .action = s.action, .head = s.head});
}

std::string kind::keepsake(const state& s, const command& what) {
  return std::holds_alternative<begin>(what) ? std::to_string(s.action) : std::string();
}
std::string kind::reply_again(const state& s, const command&, const context&,
                              std::string_view kept) {
  audit_view view{.entries = s.entries, .action = s.action, .head = s.head};
  std::from_chars(kept.data(), kept.data() + kept.size(), view.action);
  return codec::encode(view);
}

// A log owes nobody anything and never wakes: no effects, no timer.
std::vector<effect> kind::pending(const state&, std::size_t) { return {}; }
std::optional<command> kind::settle(const state&, std::string_view, const answer&) {
  return std::nullopt;
}
std::optional<timestamp_ms> kind::wake_at(const state&) { return std::nullopt; }
command kind::wake() { return look{}; }
bool kind::in_progress(const state&) { return false; }
std::size_t kind::memory_bytes(const state& s) { return s.head.capacity(); }

const char* to_string(errc code) {
  switch (code) {
    case errc::no_such_action:
      return "no_such_action";
  }
  return "";
}

// Schema 1 of everything stored and sent: the field rules of runtime/base/codec.hpp. Append only;
// what the digests cover is in audit.cpp and never changes.
std::string encode(const command& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }
std::string kind::encode_command(const command& what) { return codec::encode(what); }
result<command> kind::decode_command(std::string_view bytes) {
  return codec::decode<command>(bytes);
}
std::string kind::encode_event(const event& what) { return codec::encode(what); }
result<event> kind::decode_event(std::string_view bytes) { return codec::decode<event>(bytes); }
std::string kind::encode_state(const state& s) { return codec::encode(s); }
result<state> kind::decode_state(std::string_view bytes) { return codec::decode<state>(bytes); }
std::string kind::describe_event(const event& what) { return describe::to_json(what); }
std::string kind::describe_state(const state& s) { return describe::to_json(s); }

}  // namespace omnicart::audit
