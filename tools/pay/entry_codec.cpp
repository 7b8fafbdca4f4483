#include "tools/pay/entry_codec.hpp"

#include <array>
#include <charconv>
#include <concepts>

namespace omnicart::pay {
namespace {

template <std::integral T>
void append_integer(std::string& out, T value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":\"";
  out += value;
  out += '"';
}

// Reads a line from left to right; after the first mismatch everything fails.
class line_reader {
 public:
  explicit line_reader(std::string_view line) : rest_(line) {}

  bool skip(std::string_view text) {
    if (!ok_ || !rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  void expect(std::string_view text) { ok_ = skip(text); }

  template <std::integral T>
  T integer() {
    T value{};
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) {
      ok_ = false;
      return {};
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  // Up to the closing quote, which is passed. Values never hold quotes or backslashes.
  std::string_view text() {
    const auto end = rest_.find('"');
    if (!ok_ || end == std::string_view::npos) {
      ok_ = false;
      return {};
    }
    const auto value = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return value;
  }

  template <class T>
  T need(std::optional<T> value) {
    ok_ = ok_ && value.has_value();
    return value.value_or(T{});
  }

  bool finished() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

template <class T>
std::optional<T> value_of(const result<T>& parsed) {
  return parsed ? std::optional<T>{*parsed} : std::nullopt;
}

}  // namespace

void append_entry(std::string& out, const entry& what) {
  out += "{\"seq\":";
  append_integer(out, what.seq);
  append_member(out, "at", to_rfc3339(what.at));
  append_member(out, "kind", to_string(what.kind));
  append_member(out, "key", what.key);
  out += ",\"amount\":";
  append_integer(out, what.amount.amount_minor);
  append_member(out, "currency", what.amount.currency.text());
  if (what.kind != entry_kind::void_charge) append_member(out, "method", to_string(what.how));
  const std::string_view token = token_of(what.card), last4 = last4_of(what.how, what.card);
  if (!token.empty()) append_member(out, "token", token);
  if (!token.empty() && !last4.empty()) append_member(out, "last4", last4);
  if (what.declined != decline_reason::none)
    append_member(out, "decline_code", to_string(what.declined));
  if (!what.refund_key.empty()) append_member(out, "refund_key", what.refund_key);
  out += '}';
}

std::optional<entry> parse_entry(std::string_view line) {
  line_reader in(line);
  entry what;
  in.expect("{\"seq\":");
  what.seq = in.integer<std::uint64_t>();
  in.expect(",\"at\":\"");
  what.at = in.need(value_of(parse_rfc3339(in.text())));
  in.expect(",\"kind\":\"");
  what.kind = in.need(parse_entry_kind(in.text()));
  in.expect(",\"key\":\"");
  what.key = in.text();
  in.expect(",\"amount\":");
  what.amount.amount_minor = in.integer<std::int64_t>();
  in.expect(",\"currency\":\"");
  what.amount.currency = in.need(value_of(currency_code::parse(in.text())));
  if (what.kind != entry_kind::void_charge) {
    in.expect(",\"method\":\"");
    what.how = in.need(parse_method(in.text()));
  }
  if (in.skip(",\"token\":\"")) what.card = card_of(in.text());
  if (in.skip(",\"last4\":\"")) in.text();  // follows from method and token
  if (in.skip(",\"decline_code\":\"")) what.declined = in.need(parse_decline_reason(in.text()));
  if (in.skip(",\"refund_key\":\"")) what.refund_key = in.text();
  in.expect("}");
  if (!in.finished()) return std::nullopt;
  return what;
}

}  // namespace omnicart::pay
