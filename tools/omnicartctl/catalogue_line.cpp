#include "tools/omnicartctl/catalogue_line.hpp"

#include <nlohmann/json.hpp>

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;

// A number keeps its digits: "114.0" is read as a double and written as one.
json cleaned(const json& from);

json cleaned(const json& from) {
  if (from.is_string()) return without_controls(from.get<std::string>());
  if (!from.is_structured()) return from;
  json made = from.is_array() ? json::array() : json::object();
  for (const auto& [name, value] : from.items()) {
    if (value.is_null()) continue;
    from.is_array() ? made.push_back(cleaned(value)) : void(made[name] = cleaned(value));
  }
  return made;
}

void rename(json& line, const char* from, const char* to) {
  const auto at = line.find(from);
  if (at == line.end()) return;
  json value = *at;
  line.erase(from);
  if (!line.contains(to)) line[to] = std::move(value);
}

void take_price(json& line) {
  if (!line.contains("price_minor") || line.contains("price")) return;
  const json price = {{"amount", line["price_minor"]},
                      {"currency", line.value("currency", std::string("USD"))}};
  line["price"] = price;
  line.erase("price_minor");
  line.erase("currency");
}

void take_category(json& line) {
  const auto path = line.find("category_path");
  if (path == line.end()) return;
  std::string category;
  if (path->is_array()) {
    for (const auto& each : *path) {
      if (each.is_string()) category += (category.empty() ? "" : " > ") + each.get<std::string>();
    }
  }
  line.erase("category_path");
  if (!category.empty() && !line.contains("category")) line["category"] = category;
}

void take_attribute(json& line, const char* member) {
  const auto at = line.find(member);
  if (at == line.end()) return;
  const std::string text = at->is_string() ? at->get<std::string>() : "";
  line.erase(member);
  if (!text.empty()) line["attributes"][member] = text;
}

}  // namespace

std::string without_controls(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool is_second_control = c == 0xC2 && i + 1 < text.size() &&
                                   static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                                   static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_second_control) text.replace(i, 2, " ");
    if (c < 0x20 || c == 0x7F) text[i] = ' ';
  }
  return text;
}

outcome<std::string> catalogue_line(std::string_view text, std::optional<std::int64_t> on_hand) {
  const auto read = json::parse(text, nullptr, false);
  if (!read.is_object()) return fail_with(exit_code::usage, "not a JSON object");
  json line = cleaned(read);
  rename(line, "sku", "id");
  take_price(line);
  take_category(line);
  take_attribute(line, "model");
  take_attribute(line, "released");
  if (on_hand && !line.contains("on_hand")) line["on_hand"] = *on_hand;
  try {
    return line.dump();
  } catch (const json::exception&) {
    return fail_with(exit_code::usage, "not UTF-8");
  }
}

}  // namespace omnicart::ctl
