#include "actors/email/email.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::email {
namespace {

// Of the spaces and invisible format characters of Unicode (categories Z and Cf), those that a
// reader takes for a space or for nothing: an address with one looks like another.
bool is_space_or_invisible(std::string_view sequence) {
  static constexpr std::string_view refused[] = {" ",
                                                 "\xC2\xA0",
                                                 "\xC2\xAD",
                                                 "\xE1\x9A\x80",  // U+0020, 00A0, 00AD, 1680
                                                 "\xE1\xA0\x8E",
                                                 "\xE3\x80\x80",
                                                 "\xEF\xBB\xBF"};  // U+180E, 3000, FEFF
  if (std::ranges::find(refused, sequence) != std::end(refused)) return true;
  if (sequence.size() != 3 || sequence[0] != '\xE2') return false;
  const unsigned low = (static_cast<unsigned char>(sequence[1]) & 0x3Fu) << 6 |
                       (static_cast<unsigned char>(sequence[2]) & 0x3Fu);
  // U+2000-200F, 2028-202F, 205F-206F: `low` is the code point without its highest four bits.
  return low <= 0x00F || (low >= 0x028 && low <= 0x02F) || (low >= 0x05F && low <= 0x06F);
}

result<events> on(const state& s, const claim& c, const context& ctx) {
  if (c.user.empty()) return fail(base_errc::malformed, "claim without user");
  if (!is_plausible_address(c.address)) return fail(base_errc::malformed, "no e-mail address");
  if (s.user == c.user) return events{};
  if (!s.user.empty()) return fail(errc::taken);
  return events{claimed{.address = c.address, .user = c.user, .at = ctx.now}};
}

result<events> on(const state& s, const look_up&, const context&) {
  if (s.user.empty()) return fail(errc::unclaimed);
  return events{};
}

result<events> on(const state& s, const release& c, const context& ctx) {
  if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
  if (s.user.empty() || s.user != c.user) return events{};
  return events{released{}};
}

void on_event(state& s, const claimed& e) {
  s = state{.address = e.address, .user = e.user, .claimed_at = e.at};
}
void on_event(state& s, const released&) { s = state{}; }

}  // namespace

result<events> decide(const state& s, const command& what, const context& ctx) {
  return std::visit([&](const auto& c) { return on(s, c, ctx); }, what);
}

void apply(state& s, const event& what) {
  std::visit([&](const auto& e) { on_event(s, e); }, what);
}

void check(const state& s) {
  ensure(s.user.empty() == s.address.empty(), "an address and its owner come together");
}

void check_full(const state& s) {
  check(s);
  ensure(s.address.empty() || is_plausible_address(s.address), "a claimed address is plausible");
}

bool is_plausible_address(std::string_view address) {
  if (address.size() > address_bytes_max || !is_single_line(address)) return false;
  const auto at = address.find('@');
  if (at == address.npos || at == 0 || at + 1 == address.size()) return false;
  if (address.find('@', at + 1) != address.npos) return false;
  while (!address.empty()) {
    const std::size_t length = utf8_sequence_length(address);
    if (is_space_or_invisible(address.substr(0, length))) return false;
    address.remove_prefix(length);
  }
  return true;
}

std::string folded(std::string_view address) {
  std::string text(address);
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

entity_ref entity_for(std::string_view address) {
  return {"email", to_base32(digest_128({"email", folded(address)}))};
}

const char* to_string(errc code) {
  switch (code) {
    case errc::taken:
      return "email_taken";
    case errc::unclaimed:
      return "unclaimed";
  }
  return "";
}

}  // namespace omnicart::email
