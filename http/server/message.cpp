#include "http/server/message.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace omnicart::http {
namespace {

constexpr std::array<std::string_view, 7> method_names{"GET",   "HEAD",   "POST",   "PUT",
                                                       "PATCH", "DELETE", "OPTIONS"};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

std::string_view to_string(method verb) {
  const auto index = static_cast<std::size_t>(verb);
  return index < method_names.size() ? method_names[index] : std::string_view{};
}

method parse_method(std::string_view text) {
  const auto found = std::find(method_names.begin(), method_names.end(), text);
  return static_cast<method>(found - method_names.begin());
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view request::param(std::string_view name) const {
  for (const auto& p : params) {
    if (p.name == name) return p.value;
  }
  bug("a handler asks for parameters of its own pattern only");
}

std::optional<std::string_view> request::query(std::string_view name) const {
  for (const auto& p : query_params) {
    if (p.name == name) return p.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> request::header(std::string_view name) const {
  for (const auto& f : fields) {
    if (equals_ignoring_case(f.name, name)) return f.value;
  }
  return std::nullopt;
}

std::string request::header_list(std::string_view name) const {
  std::string joined;
  for (const auto& f : fields) {
    if (!equals_ignoring_case(f.name, name)) continue;
    if (!joined.empty()) joined += ", ";
    joined += f.value;
  }
  return joined;
}

std::size_t request::header_count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields.begin(), fields.end(),
                    [&](const name_value& f) { return equals_ignoring_case(f.name, name); }));
}

response& response::add_header(std::string_view name, std::string_view value) {
  headers += name;
  headers += ": ";
  for (const char c : value) headers += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  headers += "\r\n";
  if (equals_ignoring_case(name, "Cache-Control")) has_cache_control = true;
  return *this;
}

}  // namespace omnicart::http
