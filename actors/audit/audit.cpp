#include "actors/audit/audit.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "runtime/base/assert.hpp"

namespace omnicart::audit {
namespace {

constexpr std::size_t digest_bytes = 32;

// The members of an entry, each behind its length, into one digest.
class digester {
 public:
  digester() { crypto_generichash_init(&state_, nullptr, 0, digest_bytes); }
  digester& add(std::string_view text) {
    add(text.size());
    feed(reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return *this;
  }
  digester& add(std::uint64_t number) {
    std::array<unsigned char, 8> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<unsigned char>(number >> (56 - 8 * i));
    feed(bytes.data(), bytes.size());
    return *this;
  }
  std::string text() {
    std::array<unsigned char, digest_bytes> bytes;
    crypto_generichash_final(&state_, bytes.data(), bytes.size());
    std::array<char, 2 * digest_bytes + 1> hex;
    sodium_bin2hex(hex.data(), hex.size(), bytes.data(), bytes.size());
    return hex.data();
  }

 private:
  void feed(const unsigned char* bytes, std::size_t count) {
    crypto_generichash_update(&state_, bytes, count);
  }
  crypto_generichash_state state_;
};

std::uint64_t number(timestamp_ms at) {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

// Whoever reads the log must not be misled by a text that goes on for ever, or by half a character.
std::string cut(const std::string& text, std::size_t bytes_max) {
  std::size_t size = std::min(text.size(), bytes_max);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
    --size;
  return text.substr(0, size);
}

result<events> on(const state& s, const begin& c, const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  begun entry{.action = s.action + 1,
              .at = ctx.now,
              .credential = cut(c.credential, credential_bytes_max),
              .as = c.as,
              .what = cut(c.action, action_bytes_max),
              .request_id = cut(c.request_id, request_id_bytes_max),
              .digest = {}};
  entry.digest = digest_of(s.head, s.entries + 1, entry);
  return events{std::move(entry)};
}

result<events> on(const state& s, const end& c, const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  if (c.action == 0 || c.action > s.action) return fail(errc::no_such_action);
  ended entry{.action = c.action, .at = ctx.now, .status = c.status, .digest = {}};
  entry.digest = digest_of(s.head, s.entries + 1, entry);
  return events{std::move(entry)};
}

result<events> on(const state&, const look&, const context&) { return events{}; }

}  // namespace

std::string digest_of(std::string_view before, std::uint64_t entry, const begun& what) {
  return digester()
      .add(before)
      .add(entry)
      .add("begun")
      .add(what.action)
      .add(number(what.at))
      .add(what.credential)
      .add(static_cast<std::uint64_t>(what.as))
      .add(what.what)
      .add(what.request_id)
      .text();
}

std::string digest_of(std::string_view before, std::uint64_t entry, const ended& what) {
  return digester()
      .add(before)
      .add(entry)
      .add("ended")
      .add(what.action)
      .add(number(what.at))
      .add(static_cast<std::uint64_t>(what.status))
      .text();
}

result<events> decide(const state& s, const command& what, const context& ctx) {
  return std::visit([&](const auto& c) { return on(s, c, ctx); }, what);
}

void apply(state& s, const event& what) {
  ++s.entries;
  if (const auto* entry = std::get_if<begun>(&what)) s.action = entry->action;
  std::visit([&](const auto& e) { s.head = e.digest; }, what);
}

void check(const state& s) {
  ensure(s.action <= s.entries, "every action has an entry");
  ensure((s.entries == 0) == s.head.empty(), "a log with entries has a head");
}

bool chain_check::take(const event& next) {
  if (!sound_) return false;
  ++entries_;
  std::visit(
      [&](const auto& e) {
        sound_ = e.digest == digest_of(head_, entries_, e);
        head_ = e.digest;
      },
      next);
  if (const auto* entry = std::get_if<begun>(&next)) {
    sound_ = sound_ && entry->action == action_ + 1;
    action_ = entry->action;
  }
  return sound_;
}

}  // namespace omnicart::audit
