#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "runtime/base/codec.hpp"

// JSON text of any aggregate with OMNICART_FIELDS, for people: operators' entity inspection and the history of
// an order. A variant's alternative adds a member "event" (or "type") with its struct's name.
namespace omnicart::describe {

// Appends `text` as a JSON string (RFC 8259 section 7); bytes that are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);

// The unqualified name of a type: "line_added".
template <class T>
constexpr std::string_view name_of() {
  std::string_view text = __PRETTY_FUNCTION__;
  const auto start = text.find("T = ") + 4;
  text = text.substr(start, text.find_first_of(";]", start) - start);
  const auto colon = text.rfind(':');
  return colon == text.npos ? text : text.substr(colon + 1);
}

template <class T>
void append(std::string& out, const T& value);

template <class T>
void append_members(std::string& out, const T& value, bool first) {
  std::string_view names = T::field_names();
  std::apply(
      [&](const auto&... field) {
        [[maybe_unused]] const auto member = [&](const auto& item) {
          const auto comma = names.find(',');
          std::string_view name = names.substr(0, comma);
          names = comma == names.npos ? std::string_view{} : names.substr(comma + 1);
          while (name.starts_with(' ')) name.remove_prefix(1);
          if (!first) out += ',';
          first = false;
          append_string(out, name);
          out += ':';
          append(out, item);
        };
        (member(field), ...);
      },
      value.fields());
}

template <class T>
void append(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    if constexpr (requires { to_string(value); }) {
      append_string(out, to_string(value));
    } else {
      out += std::to_string(static_cast<std::int64_t>(value));
    }
  } else if constexpr (std::is_integral_v<T>) {
    out += std::to_string(value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    append_string(out, value);
  } else if constexpr (requires { value.str(); } && !std::is_same_v<T, entity_ref>) {
    append_string(out, value.str());
  } else if constexpr (std::is_same_v<T, entity_ref>) {
    append_string(out, value.str());
  } else if constexpr (std::is_same_v<T, command_id>) {
    append_string(out, to_base32(value));
  } else if constexpr (std::is_same_v<T, timestamp_ms>) {
    append_string(out, to_rfc3339(value));
  } else if constexpr (std::is_same_v<T, duration_ms>) {
    out += std::to_string(value.count());
  } else if constexpr (std::is_same_v<T, money>) {
    out += "{\"amount\":" + std::to_string(value.amount_minor) + ",\"currency\":";
    append_string(out, value.currency.text());
    out += '}';
  } else if constexpr (std::is_same_v<T, currency_code>) {
    append_string(out, value.text());
  } else if constexpr (codec::is_optional<T>::value) {
    value ? append(out, *value) : static_cast<void>(out += "null");
  } else if constexpr (codec::is_pair<T>::value) {
    out += '[';
    append(out, value.first);
    out += ',';
    append(out, value.second);
    out += ']';
  } else if constexpr (codec::is_vector<T>::value) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ',';
      append(out, value[i]);
    }
    out += ']';
  } else if constexpr (codec::is_variant<T>::value) {
    std::visit(
        [&](const auto& alternative) {
          out += "{\"event\":";
          append_string(out, name_of<std::decay_t<decltype(alternative)>>());
          append_members(out, alternative, false);
          out += '}';
        },
        value);
  } else {
    out += '{';
    append_members(out, value, true);
    out += '}';
  }
}

template <class T>
std::string to_json(const T& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace omnicart::describe
