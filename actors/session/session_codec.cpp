#include "runtime/base/codec.hpp"

#include "actors/session/session_kind.hpp"
#include "runtime/base/describe.hpp"

// Stored and sent forms of a session, schema 1: the field rules of runtime/base/codec.hpp over the
// structs of session.hpp and session_messages.hpp, alternatives numbered as in their variants.
// Append only.
namespace omnicart::session {
namespace {

void redact(std::string& secret) {
  if (!secret.empty()) secret = "(redacted)";
}
void shorten(std::string& lines) {
  if (!lines.empty()) lines = "(" + std::to_string(lines.size()) + " bytes)";
}

void redact_event(opened& e) { redact(e.refresh_digest); }
void redact_event(refreshed& e) { redact(e.refresh_digest); }
void redact_event(person_key_kept& e) { redact(e.key); }
void redact_event(guest_cart_surrendered& e) {
  shorten(e.lines);
  shorten(e.wishes);
}
void redact_event(guest_cart_merged& e) { shorten(e.left); }
template <class Event>
void redact_event(Event&) {}

}  // namespace

std::string encode(const command& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }

std::string encode_holds(const std::vector<counted_hold>& holds) { return codec::encode(holds); }
std::vector<counted_hold> decode_holds(std::string_view bytes) {
  return codec::decode<std::vector<counted_hold>>(bytes).value_or(std::vector<counted_hold>{});
}

std::string encode_lines(const std::vector<cart::new_line>& lines) { return codec::encode(lines); }
result<std::vector<cart::new_line>> decode_lines(std::string_view bytes) {
  if (bytes.empty()) return std::vector<cart::new_line>{};
  return codec::decode<std::vector<cart::new_line>>(bytes);
}
std::string encode_wishes(const cart::wishes& with) {
  return with == cart::wishes{} ? std::string{} : codec::encode(with);
}
result<cart::wishes> decode_wishes(std::string_view bytes) {
  if (bytes.empty()) return cart::wishes{};
  return codec::decode<cart::wishes>(bytes);
}
std::string encode_left(const cart::left_behind& left) {
  return left == cart::left_behind{} ? std::string{} : codec::encode(left);
}
result<cart::left_behind> decode_left(std::string_view bytes) {
  if (bytes.empty()) return cart::left_behind{};
  return codec::decode<cart::left_behind>(bytes);
}

std::string kind::encode_reply(const session_view& view) { return codec::encode(view); }
std::string kind::encode_command(const command& what) { return codec::encode(what); }
result<command> kind::decode_command(std::string_view bytes) {
  return codec::decode<command>(bytes);
}
std::string kind::encode_event(const event& what) { return codec::encode(what); }
result<event> kind::decode_event(std::string_view bytes) { return codec::decode<event>(bytes); }
std::string kind::encode_state(const state& s) { return codec::encode(s); }
result<state> kind::decode_state(std::string_view bytes) { return codec::decode<state>(bytes); }

std::string kind::describe_event(const event& what) {
  event shown = what;
  std::visit([](auto& e) { redact_event(e); }, shown);
  return describe::to_json(shown);
}

std::string kind::describe_state(const state& s) {
  state shown = s;
  redact(shown.refresh_digest);
  redact(shown.spent_digest);
  redact(shown.person_key);
  shorten(shown.lines);
  shorten(shown.wishes);
  shorten(shown.left);
  return describe::to_json(shown);
}

}  // namespace omnicart::session
