#include "tools/load/json_scan.hpp"

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace omnicart::load {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// A cursor over the text; every step stays inside it.
class scanner {
 public:
  explicit scanner(std::string_view text) : text_(text) {}

  bool take(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  // The string that starts here, with its quotes; empty if there is none.
  std::string_view string() {
    skip_space();
    const std::size_t begin = at_;
    if (at_ >= text_.size() || text_[at_] != '"') return {};
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return text_.substr(begin, at_ - begin);
      }
    }
    return {};
  }
  // The value that starts here, whatever it is; empty if the text ends first.
  std::string_view value() {
    skip_space();
    const std::size_t begin = at_;
    if (at_ >= text_.size()) return {};
    if (text_[at_] == '"') return string();
    if (text_[at_] == '{' || text_[at_] == '[') return nested();
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}' && text_[at_] != ']' &&
           !is_space(text_[at_])) {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  std::string_view nested() {
    const std::size_t begin = at_;
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (string().empty()) return {};
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return text_.substr(begin, at_ - begin);
    }
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string_view json_member(std::string_view object, std::string_view name) {
  scanner scan(object);
  if (!scan.take('{')) return {};
  for (;;) {
    const auto key = scan.string();
    if (key.size() < 2 || !scan.take(':')) return {};
    const auto value = scan.value();
    if (key.substr(1, key.size() - 2) == name) return value;
    if (value.empty() || !scan.take(',')) return {};
  }
}

std::string json_string(std::string_view object, std::string_view name) {
  const auto raw = json_member(object, name);
  if (raw.size() < 2 || raw.front() != '"') return {};
  const auto inner = raw.substr(1, raw.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  const auto parsed = nlohmann::json::parse(raw, nullptr, false);
  return parsed.is_string() ? parsed.get<std::string>() : std::string();
}

std::optional<std::int64_t> json_integer(std::string_view object, std::string_view name) {
  const auto raw = json_member(object, name);
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (raw.empty() || code != std::errc{} || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

bool json_true(std::string_view object, std::string_view name) {
  return json_member(object, name) == "true";
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out += '"';
}

}  // namespace omnicart::load
