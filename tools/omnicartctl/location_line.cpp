#include "tools/omnicartctl/location_line.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "actors/location/location_messages.hpp"
#include "http/location_json.hpp"
#include "http/server/json_reader.hpp"
#include "tools/omnicartctl/catalogue_line.hpp"

namespace omnicart::ctl {
namespace {

using http::json_member;
using http::json_value;
using type = json_value::type;

constexpr std::size_t decimals_max = 6;

json_value text_value(std::string text) {
  json_value made;
  made.is = type::string;
  made.text = std::move(text);
  return made;
}

std::string trimmed(std::string text) {
  text = without_controls(std::move(text));
  const auto first = text.find_first_not_of(' ');
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool is_empty(const json_value& value) {
  switch (value.is) {
    case type::null:
      return true;
    case type::string:
      return value.text.empty();
    case type::array:
      return value.items.empty();
    case type::object:
      return value.members.empty();
    case type::boolean:
    case type::number:
      break;
  }
  return false;
}

// Without what says nothing, at every level.
json_value cleaned(json_value value) {
  if (value.is == type::string) value.text = trimmed(std::move(value.text));
  for (auto& each : value.items) each = cleaned(std::move(each));
  for (auto& each : value.members) each.value = cleaned(std::move(each.value));
  std::erase_if(value.items, is_empty);
  std::erase_if(value.members, [](const json_member& each) { return is_empty(each.value); });
  return value;
}

// Takes a member out of the object.
std::optional<json_value> take(json_value& from, std::string_view name) {
  const auto at = std::ranges::find(from.members, name, &json_member::name);
  if (at == from.members.end()) return std::nullopt;
  json_value value = std::move(at->value);
  from.members.erase(at);
  return value;
}

void move_member(json_value& from, const char* name, json_value& to, const char* new_name) {
  if (auto value = take(from, name)) to.members.push_back({new_name, std::move(*value)});
}

// An address whose parts stand beside one another.
void take_address(json_value& line) {
  const auto* first = line.find("address");
  if (!first || first->is != type::string) return;
  json_value address;
  address.is = type::object;
  move_member(line, "address", address, "line1");
  move_member(line, "address2", address, "line2");
  move_member(line, "city", address, "city");
  move_member(line, "state", address, "region");
  move_member(line, "zip", address, "postal_code");
  move_member(line, "country", address, "country");
  if (!address.find("country")) address.members.push_back({"country", text_value("US")});
  line.members.push_back({"address", std::move(address)});
}

// A number as it stands, or half away from zero to six decimals; what does not read is the shop's
// to refuse.
std::string rounded(const std::string& number) {
  const auto point = number.find('.');
  if (point == number.npos || number.size() <= point + 1 + decimals_max) return number;
  const std::size_t end = point + 1 + decimals_max;
  auto udeg = http::parse_micro_degrees(std::string_view(number).substr(0, end));
  const bool digits = std::ranges::all_of(std::string_view(number).substr(end),
                                          [](char c) { return c >= '0' && c <= '9'; });
  if (!udeg || !digits) return number;
  if (number[end] >= '5') *udeg += number.starts_with('-') ? -1 : 1;
  return http::degrees_text(*udeg);
}

void take_coordinates(json_value& line) {
  const auto* at = line.find("location");
  if (!at || at->is != type::object) return;
  json_value point = std::move(*take(line, "location"));
  move_member(point, "lat", line, "latitude");
  move_member(point, "lon", line, "longitude");
  for (auto& each : line.members) {
    const bool degrees = each.name == "latitude" || each.name == "longitude";
    if (degrees && each.value.is == type::number) each.value.text = rounded(each.value.text);
  }
}

}  // namespace

outcome<location_line> read_location_line(std::string_view text) {
  std::vector<http::field_error> errors;
  auto read = http::parse_json(text, errors);
  if (!read) {
    const std::string why = errors.empty() ? "" : ": " + errors.front().detail;
    return fail_with(exit_code::usage, "not JSON" + why);
  }
  if (read->is != type::object) return fail_with(exit_code::usage, "not a JSON object");
  json_value line = cleaned(std::move(*read));
  const auto id = take(line, "id");
  const bool named = id && (id->is == type::string || id->is == type::number);
  if (!named || !location::is_location_id(id->text))
    return fail_with(exit_code::usage, "no id of 1 to 64 letters, digits, '.', '_' and '-'");
  take_address(line);
  take_coordinates(line);
  return location_line{.id = id->text, .body = http::to_text(line)};
}

}  // namespace omnicart::ctl
