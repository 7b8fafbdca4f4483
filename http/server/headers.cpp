#include "http/server/headers.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "runtime/base/limits.hpp"

namespace omnicart::http {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Cuts the next item off `rest`, outside of quotes.
std::string_view next_item(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    if (rest[i] == '"') quoted = !quoted;
    if (quoted && rest[i] == '\\' && i + 1 < rest.size()) {
      ++i;
    } else if (!quoted && rest[i] == separator) {
      break;
    }
  }
  const auto item = trim(rest.substr(0, i));
  rest = i < rest.size() ? rest.substr(i + 1) : std::string_view{};
  return item;
}

bool printable(char c) { return c >= 0x20 && c < 0x7f; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool lower_hex(char c) { return digit(c) || (c >= 'a' && c <= 'f'); }

int hex_value(char c) {
  if (digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// qvalue of RFC 9110 section 12.4.2: 0 or 1 with up to three decimals. Zero only if it reads as
// zero.
bool is_zero_weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto item = next_item(parameters, ';');
    if (item.size() >= 2 && (item[0] == 'q' || item[0] == 'Q') && item[1] == '=') {
      const auto weight = item.substr(2);
      return weight.starts_with('0') && weight.find_first_of("123456789") == weight.npos;
    }
  }
  return false;
}

// How closely a range names a type: 3 exactly, 2 its subtypes, 1 anything, 0 not.
int specificity(std::string_view range, std::string_view type) {
  if (equals_ignoring_case(range, type)) return 3;
  if (range == "*/*") return 1;
  if (!range.ends_with("/*")) return 0;
  const auto main = range.substr(0, range.size() - 1);
  return equals_ignoring_case(main, type.substr(0, std::min(main.size(), type.size()))) ? 2 : 0;
}

// The most specific range that names the type decides, also when it says "not" (q=0).
bool accepts_type(std::string_view accept, std::string_view type) {
  int best = 0;
  bool accepted = false;
  while (!accept.empty()) {
    auto item = next_item(accept, ',');
    const auto range = next_item(item, ';');
    const int match = specificity(range, type);
    if (match > best) {
      best = match;
      accepted = !is_zero_weight(item);
    }
  }
  return accepted;
}

// One entity tag: ["W/"] DQUOTE *etagc DQUOTE.
bool parse_tag(std::string_view item, tag_list::tag& tag) {
  if (item.starts_with("W/")) {
    tag.weak = true;
    item.remove_prefix(2);
  }
  if (item.size() < 2 || item.front() != '"' || item.back() != '"') return false;
  item = item.substr(1, item.size() - 2);
  const auto etagc = [](char c) { return c != '"' && c > 0x20 && c != 0x7f; };
  if (!std::all_of(item.begin(), item.end(), [&](char c) { return etagc(c) || (c & 0x80) != 0; }))
    return false;
  tag.text = item;
  return true;
}

// RFC 8941 section 4.2.5. False when malformed.
bool unquote(std::string_view text, std::string& out) {
  if (text.size() < 2 || text.back() != '"') return false;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    char c = text[i];
    if (c == '"') return false;
    if (c == '\\') {
      if (++i + 1 >= text.size()) return false;
      c = text[i];
      if (c != '"' && c != '\\') return false;
    }
    out += c;
  }
  return true;
}

}  // namespace

std::string etag_of(std::uint64_t version) { return '"' + std::to_string(version) + '"'; }

result<tag_list> parse_tags(std::string_view text) {
  tag_list list;
  text = trim(text);
  if (text == "*") {
    list.any = true;
    return list;
  }
  // Quotes are no escapes in tags: cut by hand, since a backslash stands for itself.
  while (!text.empty()) {
    auto close = text.find('"');
    if (close != text.npos) close = text.find('"', close + 1);
    if (close == text.npos) return fail(base_errc::malformed, "an entity tag lacks its quotes");
    tag_list::tag tag;
    if (!parse_tag(text.substr(0, close + 1), tag)) {
      return fail(base_errc::malformed, "not a list of entity tags");
    }
    list.tags.push_back(std::move(tag));
    text = trim(text.substr(close + 1));
    if (text.empty()) break;
    if (text.front() != ',')
      return fail(base_errc::malformed, "entity tags are separated by commas");
    while (!text.empty() && (text.front() == ',' || is_blank(text.front()))) text.remove_prefix(1);
  }
  if (list.tags.empty()) return fail(base_errc::malformed, "no entity tag");
  return list;
}

bool not_modified(const request& req, std::string_view etag) {
  if (req.verb != method::get && req.verb != method::head) return false;
  const auto text = req.header_list("If-None-Match");
  if (text.empty()) return false;
  const auto list = parse_tags(text);
  if (!list) return false;
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2) etag = etag.substr(1, etag.size() - 2);
  return list->any || std::any_of(list->tags.begin(), list->tags.end(),
                                  [&](const auto& tag) { return tag.text == etag; });
}

result<version_condition> if_match(const request& req) {
  version_condition condition;
  if (req.header_count("If-Match") == 0) return condition;
  auto list = parse_tags(req.header_list("If-Match"));
  if (!list) return fail(std::move(list.error()));
  condition.must_exist = true;
  if (list->any) return condition;
  condition.version = std::numeric_limits<std::uint64_t>::max();
  for (const auto& tag : list->tags) {
    std::uint64_t version = 0;
    const auto [end, code] =
        std::from_chars(tag.text.data(), tag.text.data() + tag.text.size(), version);
    const bool whole = code == std::errc{} && end == tag.text.data() + tag.text.size();
    const bool canonical = whole && std::to_string(version) == tag.text;
    // Strong comparison; of several, the newest is the one that can still hold.
    if (canonical && !tag.weak &&
        (*condition.version == std::numeric_limits<std::uint64_t>::max() ||
         version > *condition.version)) {
      condition.version = version;
    }
  }
  return condition;
}

response not_modified_response(std::string_view etag) {
  response answer;
  answer.status = 304;
  answer.add_header("ETag", etag);
  return answer;
}

result<std::optional<std::string>> idempotency_key(const request& req) {
  const auto count = req.header_count("Idempotency-Key");
  if (count == 0) return std::optional<std::string>{};
  if (count > 1) return fail(base_errc::malformed, "Idempotency-Key is given twice");
  const auto text = trim(*req.header("Idempotency-Key"));
  std::string key;
  if (text.starts_with('"')) {
    if (!unquote(text, key))
      return fail(base_errc::malformed, "Idempotency-Key is not a quoted string");
  } else {
    key = text;
  }
  if (key.empty() || key.size() > limits::idempotency_key_bytes_max) {
    return fail(base_errc::malformed, "Idempotency-Key has 1 to 255 characters");
  }
  if (!std::all_of(key.begin(), key.end(), printable) || is_blank(key.front()) ||
      is_blank(key.back())) {
    return fail(base_errc::malformed,
                "Idempotency-Key is printable ASCII without spaces at its ends");
  }
  return std::optional<std::string>(std::move(key));
}

bool accepts(std::string_view accept, std::string_view produces) {
  if (trim(accept).empty()) return true;
  return accepts_type(accept, "application/json") ||
         accepts_type(accept, "application/problem+json") || accepts_type(accept, produces);
}

bool media_type_matches(std::string_view content_type, std::string_view consumes) {
  if (consumes.empty()) return true;
  const auto type = next_item(content_type, ';');
  while (!content_type.empty()) {
    auto parameter = next_item(content_type, ';');
    if (parameter.size() < 8 || !equals_ignoring_case(parameter.substr(0, 8), "charset=")) continue;
    parameter.remove_prefix(8);
    if (parameter.size() >= 2 && parameter.front() == '"')
      parameter = parameter.substr(1, parameter.size() - 2);
    if (!equals_ignoring_case(parameter, "utf-8")) return false;
  }
  while (!consumes.empty()) {
    if (equals_ignoring_case(next_item(consumes, ','), type)) return true;
  }
  return false;
}

std::optional<std::string_view> bearer_token(const request& req) {
  const auto field = req.header("Authorization");
  if (!field || field->size() < 7 || !equals_ignoring_case(field->substr(0, 7), "Bearer "))
    return std::nullopt;
  return trim(field->substr(7));
}

std::optional<std::string_view> cookie(const request& req, std::string_view name) {
  for (const auto& field : req.fields) {
    if (!equals_ignoring_case(field.name, "Cookie")) continue;
    auto rest = field.value;
    while (!rest.empty()) {
      const auto pair = next_item(rest, ';');
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
        return pair.substr(name.size() + 1);
      }
    }
  }
  return std::nullopt;
}

bool is_request_id(std::string_view text) {
  const auto allowed = [](char c) {
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), allowed);
}

std::optional<trace_parent> parse_traceparent(std::string_view text) {
  // version "-" trace-id "-" parent-id "-" flags; later versions may append "-…".
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const auto version = text.substr(0, 2);
  const auto trace = text.substr(3, 32);
  const auto parent = text.substr(36, 16);
  const auto flags = text.substr(53, 2);
  const auto hex = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), lower_hex);
  };
  const auto zero = [](std::string_view part) { return part.find_first_not_of('0') == part.npos; };
  if (!hex(version) || !hex(trace) || !hex(parent) || !hex(flags)) return std::nullopt;
  if (version == "ff" || zero(trace) || zero(parent)) return std::nullopt;
  if (text.size() > 55 && (version == "00" || text[55] != '-')) return std::nullopt;
  return trace_parent{.trace_id = trace, .flags = flags};
}

bool percent_decode(std::string_view text, bool plus_is_space, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      if (c == '\0') return false;
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    out += c;
  }
  return true;
}

}  // namespace omnicart::http
