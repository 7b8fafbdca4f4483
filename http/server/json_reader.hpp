#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/server/problem.hpp"
#include "runtime/base/money.hpp"

namespace omnicart::http {

struct json_member;

// One JSON value as it was sent: numbers keep their text, so that none ever passes through floating
// point.
struct json_value {
  enum class type : std::uint8_t { null, boolean, number, string, array, object };

  type is = type::null;
  bool flag = false;                 // boolean
  std::string text;                  // number: as written; string: decoded UTF-8
  std::vector<json_value> items;     // array
  std::vector<json_member> members;  // object, in order

  const json_value* find(std::string_view name) const;
};

struct json_member {
  std::string name;
  json_value value;
};

inline constexpr std::size_t json_depth_max = 32;

// Strict RFC 8259: one value, UTF-8 without a byte order mark, no text after it, no duplicate keys,
// at most json_depth_max levels. On failure nothing is returned and `errors` has malformed,
// duplicate_key or out_of_range (depth).
std::optional<json_value> parse_json(std::string_view text, std::vector<field_error>& errors);

// Canonical text of a value, members in order: for what is stored as it came.
std::string to_text(const json_value& value);

// What a decimal price may be; see object_reader::money.
struct money_bounds {
  std::int64_t min_minor = 0;
  std::int64_t max_minor = 1'000'000'000'000;  // 10^12 minor units
};

// Takes the expected members of an object one by one and collects everything that is wrong with
// them, each with its JSON Pointer, so that a caller learns all of it at once. A required member
// that is missing or wrong gives a default value and an error: read all, then look at `errors`. An
// optional member that is null counts as absent. The value must outlive the reader. Not
// thread-safe.
//
//   std::vector<field_error> errors;
//   auto body = parse_json(req.body, errors);
//   object_reader read(body, errors);
//   auto email = read.required_string("email", 254);
//   auto quantity = read.optional_int("quantity", 0, 999'999);
//   read.finish();
//   if (!errors.empty()) co_return invalid_body_response(std::move(errors), req.request_id);
class object_reader {
 public:
  // The body; nothing (it did not parse) reads as an object of which no further errors are
  // reported.
  object_reader(const std::optional<json_value>& body, std::vector<field_error>& errors);
  // A nested object, at `pointer`.
  object_reader(const json_value& object, std::string pointer, std::vector<field_error>& errors);

  // Strings have `min` to `max` bytes of UTF-8 and no control characters but tab, CR and LF.
  std::string required_string(std::string_view name, std::size_t max, std::size_t min = 1);
  std::optional<std::string> optional_string(std::string_view name, std::size_t max,
                                             std::size_t min = 0);
  // One of `words`: its position.
  std::size_t required_word(std::string_view name, std::initializer_list<std::string_view> words);
  std::optional<std::size_t> optional_word(std::string_view name,
                                           std::initializer_list<std::string_view> words);
  // Integers are written as integers: 1.0 and 1e3 are wrong_type.
  std::int64_t required_int(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<std::int64_t> optional_int(std::string_view name, std::int64_t min,
                                           std::int64_t max);
  std::optional<bool> optional_bool(std::string_view name);
  // {"amount": 1299, "currency": "GBP"}, or with `decimal_currency` also 12.99 or "12.99",
  // converted exactly.
  money required_money(std::string_view name, std::optional<currency_code> decimal_currency = {},
                       money_bounds bounds = {});
  std::optional<money> optional_money(std::string_view name,
                                      std::optional<currency_code> decimal_currency = {},
                                      money_bounds bounds = {});
  // Null when absent or wrong (then also reported, when required).
  const json_value* required_object(std::string_view name);
  const json_value* optional_object(std::string_view name);
  const json_value* required_array(std::string_view name, std::size_t items_max,
                                   std::size_t items_min = 1);
  const json_value* optional_array(std::string_view name, std::size_t items_max);
  std::vector<std::string> string_array(std::string_view name, std::size_t items_max,
                                        std::size_t item_bytes_max);
  // Any value, for members this version stores without understanding.
  const json_value* any(std::string_view name);

  bool has(std::string_view name) const;
  // "/items/3" for a nested reader: pointer of a member, or of an array's element.
  std::string pointer_of(std::string_view name) const;
  std::string pointer_of(std::string_view name, std::size_t index) const;
  void report(std::string_view name, std::string code, std::string detail);

  // Reports every member that nobody took. Call it last.
  void finish();

 private:
  const json_value* take(std::string_view name);
  const json_value* require(std::string_view name);
  const json_value* expect(std::string_view name, const json_value* value, json_value::type type);
  std::optional<std::string> string_of(std::string_view name, const json_value* value,
                                       std::size_t min, std::size_t max);
  std::optional<std::int64_t> int_of(std::string_view name, const json_value* value,
                                     std::int64_t min, std::int64_t max);
  std::optional<money> money_of(std::string_view name, const json_value* value,
                                std::optional<currency_code> decimal_currency, money_bounds bounds);
  const json_value* array_of(std::string_view name, const json_value* value, std::size_t min,
                             std::size_t max);

  const json_value* object_ = nullptr;  // null: report nothing
  std::string pointer_;
  std::vector<field_error>& errors_;
  std::vector<bool> taken_;  // by position of the member
};

// `name` as a reference token of a JSON Pointer: "~" and "/" escaped (RFC 6901 section 3).
std::string pointer_token(std::string_view name);

}  // namespace omnicart::http
