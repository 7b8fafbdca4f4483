#include "http/server/json_reader.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "runtime/base/assert.hpp"

namespace omnicart::http {
namespace {

using type = json_value::type;

constexpr std::size_t errors_max =
    100;  // a body of nothing but errors must not make a larger answer

std::string_view name_of(type t) {
  switch (t) {
    case type::null:
      return "null";
    case type::boolean:
      return "true or false";
    case type::number:
      return "a number";
    case type::string:
      return "a string";
    case type::array:
      return "an array";
    case type::object:
      return "an object";
  }
  return "a value";
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
  });
}

std::string range_text(std::int64_t min, std::int64_t max) {
  return std::to_string(min) + " to " + std::to_string(max);
}

}  // namespace

object_reader::object_reader(const std::optional<json_value>& body,
                             std::vector<field_error>& errors)
    : errors_(errors) {
  if (!body) return;
  if (body->is != type::object) {
    errors_.push_back({"", "wrong_type", "The body is a JSON object."});
    return;
  }
  object_ = &*body;
  taken_.resize(object_->members.size());
}

object_reader::object_reader(const json_value& object, std::string pointer,
                             std::vector<field_error>& errors)
    : pointer_(std::move(pointer)), errors_(errors) {
  if (object.is != type::object) {
    errors_.push_back({pointer_, "wrong_type", "The value is an object."});
    return;
  }
  object_ = &object;
  taken_.resize(object_->members.size());
}

std::string object_reader::pointer_of(std::string_view name) const {
  return pointer_ + '/' + pointer_token(name);
}

std::string object_reader::pointer_of(std::string_view name, std::size_t index) const {
  return pointer_of(name) + '/' + std::to_string(index);
}

void object_reader::report(std::string_view name, std::string code, std::string detail) {
  if (errors_.size() < errors_max)
    errors_.push_back({pointer_of(name), std::move(code), std::move(detail)});
}

bool object_reader::has(std::string_view name) const {
  return object_ != nullptr && object_->find(name) != nullptr;
}

const json_value* object_reader::any(std::string_view name) {
  if (object_ == nullptr) return nullptr;
  for (std::size_t i = 0; i < object_->members.size(); ++i) {
    if (object_->members[i].name != name) continue;
    taken_[i] = true;
    return &object_->members[i].value;
  }
  return nullptr;
}

const json_value* object_reader::take(std::string_view name) {
  const json_value* value = any(name);
  return value != nullptr && value->is == type::null ? nullptr : value;
}

const json_value* object_reader::require(std::string_view name) {
  const json_value* value = any(name);
  if (value == nullptr && object_ != nullptr) report(name, "missing", "The member is required.");
  return value;
}

const json_value* object_reader::expect(std::string_view name, const json_value* value,
                                        type wanted) {
  if (value == nullptr || value->is == wanted) return value;
  report(name, "wrong_type", "The member is " + std::string(name_of(wanted)) + ".");
  return nullptr;
}

std::optional<std::string> object_reader::string_of(std::string_view name, const json_value* value,
                                                    std::size_t min, std::size_t max) {
  value = expect(name, value, type::string);
  if (value == nullptr) return std::nullopt;
  if (value->text.size() > max) {
    report(name, "too_long", "The member has at most " + std::to_string(max) + " bytes.");
  } else if (value->text.size() < min) {
    report(name, "out_of_range", "The member has at least " + std::to_string(min) + " bytes.");
  } else if (has_control(value->text)) {
    report(name, "malformed", "The member has control characters.");
  } else {
    return value->text;
  }
  return std::nullopt;
}

std::string object_reader::required_string(std::string_view name, std::size_t max,
                                           std::size_t min) {
  return string_of(name, require(name), min, max).value_or(std::string());
}

std::optional<std::string> object_reader::optional_string(std::string_view name, std::size_t max,
                                                          std::size_t min) {
  return string_of(name, take(name), min, max);
}

std::optional<std::size_t> object_reader::optional_word(
    std::string_view name, std::initializer_list<std::string_view> words) {
  const json_value* value = expect(name, take(name), type::string);
  if (value == nullptr) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), value->text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string all;
  for (const auto word : words) all += (all.empty() ? "" : ", ") + std::string(word);
  report(name, "out_of_range", "The member is one of: " + all + ".");
  return std::nullopt;
}

std::size_t object_reader::required_word(std::string_view name,
                                         std::initializer_list<std::string_view> words) {
  const json_value* value = require(name);
  if (value != nullptr && value->is == type::null) expect(name, value, type::string);
  return optional_word(name, words).value_or(0);
}

std::optional<std::int64_t> object_reader::int_of(std::string_view name, const json_value* value,
                                                  std::int64_t min, std::int64_t max) {
  value = expect(name, value, type::number);
  if (value == nullptr) return std::nullopt;
  const auto& text = value->text;
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size()) {
    report(name, "wrong_type", "The member is an integer, written without decimals or exponent.");
  } else if (code != std::errc{} || number < min || number > max) {
    report(name, "out_of_range", "The member is " + range_text(min, max) + ".");
  } else {
    return number;
  }
  return std::nullopt;
}

std::int64_t object_reader::required_int(std::string_view name, std::int64_t min,
                                         std::int64_t max) {
  return int_of(name, require(name), min, max).value_or(min);
}

std::optional<std::int64_t> object_reader::optional_int(std::string_view name, std::int64_t min,
                                                        std::int64_t max) {
  return int_of(name, take(name), min, max);
}

std::optional<bool> object_reader::optional_bool(std::string_view name) {
  const json_value* value = expect(name, take(name), type::boolean);
  return value == nullptr ? std::nullopt : std::optional<bool>(value->flag);
}

std::optional<money> object_reader::money_of(std::string_view name, const json_value* value,
                                             std::optional<currency_code> decimal_currency,
                                             money_bounds bounds) {
  if (value == nullptr) return std::nullopt;
  money amount;
  if (decimal_currency && (value->is == type::number || value->is == type::string)) {
    auto parsed = parse_decimal(value->text, *decimal_currency);
    if (!parsed) {
      report(name, "malformed", "The member is a decimal with at most the currency's decimals.");
      return std::nullopt;
    }
    amount = *parsed;
  } else {
    value = expect(name, value, type::object);
    if (value == nullptr) return std::nullopt;
    const auto errors_before = errors_.size();
    object_reader parts(*value, pointer_of(name), errors_);
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    amount.amount_minor = parts.required_int("amount", -most, most);
    const auto code = parts.required_string("currency", 3, 3);
    parts.finish();
    if (errors_.size() != errors_before) return std::nullopt;
    auto currency = currency_code::parse(code);
    if (!currency) {
      parts.report("currency", "malformed", "A currency is three capital letters (ISO 4217).");
      return std::nullopt;
    }
    amount.currency = *currency;
  }
  if (amount.amount_minor < bounds.min_minor || amount.amount_minor > bounds.max_minor) {
    report(name, "out_of_range",
           "The amount is " + range_text(bounds.min_minor, bounds.max_minor) + " minor units.");
    return std::nullopt;
  }
  return amount;
}

money object_reader::required_money(std::string_view name,
                                    std::optional<currency_code> decimal_currency,
                                    money_bounds bounds) {
  return money_of(name, require(name), decimal_currency, bounds).value_or(money{});
}

std::optional<money> object_reader::optional_money(std::string_view name,
                                                   std::optional<currency_code> decimal_currency,
                                                   money_bounds bounds) {
  return money_of(name, take(name), decimal_currency, bounds);
}

const json_value* object_reader::required_object(std::string_view name) {
  return expect(name, require(name), type::object);
}

const json_value* object_reader::optional_object(std::string_view name) {
  return expect(name, take(name), type::object);
}

const json_value* object_reader::array_of(std::string_view name, const json_value* value,
                                          std::size_t min, std::size_t max) {
  value = expect(name, value, type::array);
  if (value == nullptr) return nullptr;
  if (value->items.size() >= min && value->items.size() <= max) return value;
  report(name, "out_of_range",
         "The array has " + std::to_string(min) + " to " + std::to_string(max) + " items.");
  return nullptr;
}

const json_value* object_reader::required_array(std::string_view name, std::size_t items_max,
                                                std::size_t items_min) {
  return array_of(name, require(name), items_min, items_max);
}

const json_value* object_reader::optional_array(std::string_view name, std::size_t items_max) {
  return array_of(name, take(name), 0, items_max);
}

std::vector<std::string> object_reader::string_array(std::string_view name, std::size_t items_max,
                                                     std::size_t item_bytes_max) {
  std::vector<std::string> all;
  const json_value* array = optional_array(name, items_max);
  if (array == nullptr) return all;
  for (std::size_t i = 0; i < array->items.size(); ++i) {
    const auto& item = array->items[i];
    const bool good =
        item.is == type::string && item.text.size() <= item_bytes_max && !has_control(item.text);
    if (good) {
      all.push_back(item.text);
    } else if (errors_.size() < errors_max) {
      const auto* code = item.is != type::string  ? "wrong_type"
                         : has_control(item.text) ? "malformed"
                                                  : "too_long";
      errors_.push_back(
          {pointer_of(name, i), code,
           "An item is a string of at most " + std::to_string(item_bytes_max) + " bytes."});
    }
  }
  return all;
}

void object_reader::finish() {
  if (object_ == nullptr) return;
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    if (!taken_[i])
      report(object_->members[i].name, "unknown_member", "The call has no member of this name.");
  }
}

}  // namespace omnicart::http
