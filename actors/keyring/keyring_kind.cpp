#include "actors/keyring/keyring_kind.hpp"

#include "runtime/base/codec.hpp"
#include "runtime/base/describe.hpp"

namespace omnicart::keyring {
namespace {

void redact(std::string& secret) {
  if (!secret.empty()) secret = "(redacted)";
}

}  // namespace

result<events> kind::decide(const state& s, const command& what, const context& ctx) {
  return keyring::decide(s, what, ctx);
}
void kind::apply(state& s, const event& what) { keyring::apply(s, what); }
void kind::check(const state& s) { keyring::check(s); }
void kind::check_full(const state& s) { keyring::check(s); }
std::string kind::reply(const state& s, const command& what, const context&) {
  return codec::encode(view_of(s, what));
}

// Keys owe nobody anything; one that has expired is refused, and stays until it is revoked.
std::vector<effect> kind::pending(const state&, std::size_t) { return {}; }
std::optional<command> kind::settle(const state&, std::string_view, const answer&) {
  return std::nullopt;
}
std::optional<timestamp_ms> kind::wake_at(const state&) { return std::nullopt; }
command kind::wake() { return list{}; }
bool kind::in_progress(const state&) { return false; }
std::size_t kind::memory_bytes(const state& s) { return s.keys.capacity() * 2 * sizeof(held_key); }

const char* to_string(errc code) {
  switch (code) {
    case errc::too_many_keys:
      return "too_many_keys";
    case errc::no_such_key:
      return "no_such_key";
    case errc::key_exists:
      return "key_exists";
    case errc::invalid_key:
      return "invalid_api_key";
  }
  return "";
}

// Schema 1 of everything stored and sent: the field rules of runtime/base/codec.hpp. Append only.
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

std::string kind::describe_event(const event& what) {
  event shown = what;
  if (auto* made = std::get_if<created>(&shown)) redact(made->key.digest);
  return describe::to_json(shown);
}
std::string kind::describe_state(const state& s) {
  state shown = s;
  for (auto& key : shown.keys) redact(key.digest);
  return describe::to_json(shown);
}

}  // namespace omnicart::keyring
