#include "config/print.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

#include "config/fields.hpp"

namespace omnicart::config {
namespace {

std::string literal(bool value) { return value ? "true" : "false"; }

std::string literal(std::int64_t value) { return std::to_string(value); }

// A basic string of TOML 1.0.
std::string literal(const std::string& value) {
  std::string text = "\"";
  for (unsigned char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7f) {
      std::array<char, 8> escape;
      std::snprintf(escape.data(), escape.size(), "\\u%04X", c);
      text += escape.data();
    } else {
      text += static_cast<char>(c);
    }
  }
  return text + '"';
}

std::string literal(const std::vector<std::string>& value) {
  std::string text = "[";
  for (std::size_t i = 0; i < value.size(); ++i) text += (i > 0 ? ", " : "") + literal(value[i]);
  return text + ']';
}

std::string literal(const target& where) {
  return std::visit([](const auto* value) { return literal(*value); }, where);
}

// 1234567 -> "1,234,567".
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

std::string bounds(const field& row, const target& where) {
  if (std::holds_alternative<bool*>(where)) return "true, false";
  if (!row.choices.empty()) {
    std::string text;
    for (char c : row.choices) text += c == '|' ? std::string(", ") : std::string(1, c);
    return text;
  }
  if (std::holds_alternative<std::string*>(where)) return row.least > 0 ? "not empty" : "";
  const std::string most = grouped(row.most);
  if (std::holds_alternative<std::vector<std::string>*>(where)) return "at most " + most;
  return grouped(row.least) + " to " + most;
}

std::string_view describe(change taken) {
  switch (taken) {
    case change::on_reload:
      return "SIGHUP";
    case change::on_start:
      return "start";
    case change::on_creation:
      return "creation";
  }
  return "";
}

}  // namespace

std::string to_toml(const options& all) {
  options shown = all, defaults;
  std::string text;
  std::string_view section;
  for (const auto& row : fields()) {
    if (row.section != section) {
      text += (section.empty() ? "[" : "\n[") + std::string(row.section) + "]\n";
      section = row.section;
    }
    const std::string value = literal(row.at(shown)), usual = literal(row.at(defaults));
    text += std::string(row.key) + " = " + value;
    if (value != usual) text += "  # default: " + usual;
    text += '\n';
  }
  return text;
}

std::string reference_markdown() {
  options defaults;
  std::string text;
  std::string_view section;
  for (const auto& row : fields()) {
    if (row.section != section) {
      text += (section.empty() ? "### [" : "\n### [") + std::string(row.section) + "]\n\n";
      text +=
          "| key | default | unit | allowed | taken at | what and why "
          "|\n|---|---|---|---|---|---|\n";
      section = row.section;
    }
    const target where = row.at(defaults);
    text += "| `" + std::string(row.key) + "` | `" + literal(where) + "` | " +
            std::string(row.unit) + " | " + bounds(row, where) + " | " +
            std::string(describe(row.taken)) + " | " + std::string(row.reason) + " |\n";
  }
  return text;
}

}  // namespace omnicart::config
