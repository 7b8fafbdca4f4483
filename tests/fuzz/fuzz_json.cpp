#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/server/json_reader.hpp"
#include "tests/fuzz/bodies.hpp"

namespace omnicart::fuzz {
namespace {

using http::field_error;
using http::json_value;
using http::object_reader;

// What is read is written, and reads as the same again.
void check_text(const json_value& value) {
  const std::string text = http::to_text(value);
  std::vector<field_error> errors;
  const auto again = http::parse_json(text, errors);
  require(again && errors.empty(), "what was parsed is written as JSON");
  require(http::to_text(*again) == text, "the text of a value is canonical");
}

void check_ints_and_words(object_reader& read, std::vector<field_error>& errors) {
  const auto quantity = read.required_int("quantity", 0, 999'999);
  require(quantity >= 0 && quantity <= 999'999, "an integer keeps its bounds");
  const auto before = errors.size();
  const auto weight = read.optional_int("weight", -5, 5);
  require(!weight || (*weight >= -5 && *weight <= 5), "an optional integer keeps its bounds");
  require(!weight || errors.size() == before, "a value comes without an error");
  require(read.required_word("kind", {"card", "paypal"}) < 2, "a word is one of those named");
  read.optional_bool("flag");
}

void check_texts(object_reader& read) {
  require(read.required_string("email", 16).size() <= 16, "a string keeps its limit");
  const auto name = read.optional_string("name", 8, 2);
  require(!name || (name->size() >= 2 && name->size() <= 8), "an optional string keeps its limits");
  for (const auto& tag : read.string_array("tags", 4, 8)) {
    require(tag.size() <= 8, "an item keeps its limit");
  }
}

void check_money(object_reader& read) {
  const auto pounds = currency_code::parse("GBP");
  require(pounds.has_value(), "GBP is a currency");
  const auto price = read.required_money("price", *pounds);
  require(price.amount_minor >= 0 && price.amount_minor <= 1'000'000'000'000,
          "a price keeps its bounds");
  const auto list = read.optional_money("list_price", {}, {.min_minor = 1, .max_minor = 100});
  require(!list || (list->amount_minor >= 1 && list->amount_minor <= 100),
          "so does an optional one");
}

void check_nested(object_reader& read, std::vector<field_error>& errors) {
  if (const auto* address = read.optional_object("address")) {
    object_reader inner(*address, read.pointer_of("address"), errors);
    inner.required_string("city", 10);
    inner.finish();
  }
  if (const auto* items = read.required_array("items", 3)) {
    require(!items->items.empty() && items->items.size() <= 3, "an array keeps its limits");
    for (std::size_t i = 0; i < items->items.size(); ++i) {
      object_reader inner(items->items[i], read.pointer_of("items", i), errors);
      inner.required_string("product", 10);
      inner.finish();
    }
  }
  if (const auto* stored = read.any("stored")) check_text(*stored);
}

void check_reader(const std::optional<json_value>& body, std::vector<field_error>& errors) {
  constexpr std::size_t errors_most = 110;  // 100, and one for each nested reader that is no object
  object_reader read(body, errors);
  check_texts(read);
  check_ints_and_words(read, errors);
  check_money(read);
  check_nested(read, errors);
  read.finish();
  require(errors.size() <= errors_most, "errors are bounded");
  for (const auto& e : errors) {
    require(e.pointer.empty() || e.pointer.front() == '/', "an error's place is a JSON Pointer");
    require(!e.code.empty() && !e.detail.empty(), "an error says what is wrong");
  }
}

}  // namespace

void fuzz_json(const std::uint8_t* data, std::size_t size) {
  std::vector<field_error> errors;
  const auto body = http::parse_json({reinterpret_cast<const char*>(data), size}, errors);
  require(body.has_value() == errors.empty(), "a text gives a value or says why not");
  if (body) check_text(*body);
  check_reader(body, errors);
}

}  // namespace omnicart::fuzz
