#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/money.hpp"

namespace omnicart::http {

// Appends JSON text to a string without building a tree. The caller keeps begin and end paired and
// gives each object member a key; commas are ours. At most 64 levels. Not thread-safe; the string
// outlives the writer.
//
//   json_writer json(body);
//   json.begin_object().member("quantity", 3).key("items").begin_array().value("a").end_array().end_object();
class json_writer {
 public:
  explicit json_writer(std::string& out) : out_(out) {}

  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }

  // `name` is a literal of the program: written as it is.
  json_writer& key(std::string_view name) {
    separate();
    out_ += '"';
    out_ += name;
    out_ += "\":";
    after_key_ = true;
    return *this;
  }
  // For names that come from data.
  json_writer& escaped_key(std::string_view name);

  json_writer& value(std::string_view text);  // escaped; bytes that are not UTF-8 become U+FFFD
  json_writer& value(const char* text) { return value(std::string_view(text)); }
  json_writer& value(const std::string& text) { return value(std::string_view(text)); }
  json_writer& value(std::same_as<bool> auto flag) { return raw(flag ? "true" : "false"); }
  template <std::integral T>
  requires(!std::same_as<T, bool>) json_writer& value(T number) {
    if constexpr (std::signed_integral<T>) return integer(number);
    return natural(number);
  }
  json_writer& null() { return raw("null"); }
  // JSON text made elsewhere: one whole value.
  json_writer& raw(std::string_view json);
  // JSON text made elsewhere: members without braces.
  json_writer& raw_members(std::string_view members) { return raw(members); }
  // {"amount":1299,"currency":"GBP"}
  json_writer& money_value(std::int64_t amount_minor, std::string_view currency);

  template <class T>
  json_writer& member(std::string_view name, const T& v) {
    return key(name).value(v);
  }
  json_writer& money_member(std::string_view name, money amount) {
    return key(name).money_value(amount.amount_minor, amount.currency.text());
  }
  // Nothing for an empty text.
  json_writer& text_member(std::string_view name, std::string_view text) {
    return text.empty() ? *this : member(name, text);
  }

 private:
  json_writer& open(char bracket) {
    separate();
    out_ += bracket;
    ++depth_;
    first_ |= std::uint64_t{1} << (depth_ & 63);
    return *this;
  }
  json_writer& close(char bracket) {
    first_ &= ~(std::uint64_t{1} << (depth_ & 63));
    --depth_;
    out_ += bracket;
    return *this;
  }
  // A comma unless this is the first value here or the one after a key.
  void separate() {
    const std::uint64_t bit = std::uint64_t{1} << (depth_ & 63);
    if (after_key_) {
      after_key_ = false;
    } else if (first_ & bit) {
      first_ &= ~bit;
    } else if (depth_ > 0) {
      out_ += ',';
    }
  }
  json_writer& integer(std::int64_t number);
  json_writer& natural(std::uint64_t number);

  std::string& out_;
  std::uint64_t first_ = 0;  // bit per level: nothing written there yet
  int depth_ = 0;
  bool after_key_ = false;
};

}  // namespace omnicart::http
