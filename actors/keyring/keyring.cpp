#include "actors/keyring/keyring.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::keyring {
namespace {

const held_key* find(const state& s, const std::string& id) {
  const auto at = std::ranges::find(s.keys, id, [](const held_key& k) { return k.shown.id; });
  return at == s.keys.end() ? nullptr : &*at;
}

bool is_word(const std::string& text) {
  return !text.empty() && text.size() <= text_bytes_max && is_printable_ascii(text);
}

// What is wrong with the shape of a key, or null.
const char* fault_of(const create& c) {
  if (!is_word(c.id)) return "id";
  if (!is_word(c.digest)) return "digest";
  if (c.name.empty() || c.name.size() > text_bytes_max || !is_single_line(c.name)) return "name";
  if (c.as != role::support && c.as != role::admin) return "role";
  if (c.scopes.empty() || c.scopes.size() > scopes_max) return "scopes";
  if (!std::ranges::all_of(c.scopes, is_word)) return "scopes";
  return nullptr;
}

// As long as the longer one: the time it takes does not tell where two digests differ.
bool equal_digests(const std::string& a, const std::string& b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const auto x = i < a.size() ? static_cast<unsigned char>(a[i]) : 0U;
    const auto y = i < b.size() ? static_cast<unsigned char>(b[i]) : 0U;
    difference |= x ^ y;
  }
  return difference == 0;
}

bool has_expired(const key_view& key, timestamp_ms now) {
  return key.expires_at != timestamp_ms{} && key.expires_at <= now;
}

result<events> on(const state& s, const create& c, const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  if (const char* fault = fault_of(c)) return fail(errc::invalid_key, fault);
  if (const held_key* known = find(s, c.id)) {
    const auto& was = known->shown;
    const bool same = known->digest == c.digest && was.name == c.name && was.as == c.as &&
                      was.scopes == c.scopes && was.expires_at == c.expires_at;
    return same ? result<events>(events{}) : fail(errc::key_exists);
  }
  if (s.keys.size() >= keys_max) return fail(errc::too_many_keys);
  held_key made{.shown = {.id = c.id,
                          .name = c.name,
                          .as = c.as,
                          .scopes = c.scopes,
                          .created_at = ctx.now,
                          .expires_at = c.expires_at},
                .digest = c.digest};
  return events{created{.key = std::move(made)}};
}

result<events> on(const state& s, const revoke& c, const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  if (find(s, c.id) == nullptr) return fail(errc::no_such_key);
  return events{revoked{.id = c.id}};
}

result<events> on(const state& s, const present& c, const context& ctx) {
  const held_key* known = find(s, c.id);
  if (known == nullptr || !equal_digests(known->digest, c.digest)) return fail(errc::no_such_key);
  if (has_expired(known->shown, ctx.now)) return fail(errc::no_such_key);
  return events{};
}

result<events> on(const state&, const list&, const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  return events{};
}

void on_event(state& s, const created& e) { s.keys.push_back(e.key); }
void on_event(state& s, const revoked& e) {
  std::erase_if(s.keys, [&](const held_key& k) { return k.shown.id == e.id; });
}

keyring_view only(const state& s, const std::string& id) {
  keyring_view view;
  if (const held_key* known = find(s, id)) view.keys.push_back(known->shown);
  return view;
}

keyring_view answer_to(const state& s, const create& c) { return only(s, c.id); }
keyring_view answer_to(const state&, const revoke&) { return {}; }
keyring_view answer_to(const state& s, const present& c) { return only(s, c.id); }
keyring_view answer_to(const state& s, const list&) {
  keyring_view view;
  for (const auto& key : s.keys) view.keys.push_back(key.shown);
  return view;
}

}  // namespace

result<events> decide(const state& s, const command& what, const context& ctx) {
  return std::visit([&](const auto& c) { return on(s, c, ctx); }, what);
}

void apply(state& s, const event& what) {
  std::visit([&](const auto& e) { on_event(s, e); }, what);
}

void check(const state& s) { ensure(s.keys.size() <= keys_max, "keys keep to their limit"); }

keyring_view view_of(const state& s, const command& what) {
  return std::visit([&](const auto& c) { return answer_to(s, c); }, what);
}

}  // namespace omnicart::keyring
