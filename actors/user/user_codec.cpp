#include "runtime/base/codec.hpp"

#include "actors/user/user_kind.hpp"
#include "runtime/base/describe.hpp"

// Stored and sent forms of a user, schema 1: the field rules of runtime/base/codec.hpp over the
// structs of user.hpp and user_messages.hpp, alternatives numbered as in their variants. Append
// only.
namespace omnicart::user {
namespace {

void redact(std::string& secret) {
  if (!secret.empty()) secret = "(redacted)";
}

void redact_event(registered& e) { redact(e.password_hash); }
void redact_event(password_changed& e) { redact(e.password_hash); }
void redact_event(ticket_issued& e) { redact(e.what.digest); }
void redact_event(person_key_kept& e) { redact(e.key); }
template <class Event>
void redact_event(Event&) {}

}  // namespace

std::string encode(const command& what) { return codec::encode(what); }
result<reply> decode_reply(std::string_view bytes) { return codec::decode<reply>(bytes); }

std::string kind::encode_reply(const user_view& view) { return codec::encode(view); }
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
  redact(shown.password_hash);
  redact(shown.person_key);
  for (auto& each : shown.tickets) redact(each.digest);
  return describe::to_json(shown);
}

}  // namespace omnicart::user
