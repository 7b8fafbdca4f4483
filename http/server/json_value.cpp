#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/server/json_reader.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/assert.hpp"

// Text to json_value and back. What an object's members may be: json_reader.cpp.
namespace omnicart::http {
namespace {

using type = json_value::type;

// Takes nlohmann's events and builds json_value. Its lexer checks UTF-8, escapes and number
// grammar.
class builder {
 public:
  builder(json_value& root, std::vector<field_error>& errors) : errors_(errors) {
    open_.push_back({&root, {}});
  }

  bool null() { return put({}); }
  bool boolean(bool flag) { return put({.is = type::boolean, .flag = flag}); }
  bool number_integer(std::int64_t number) { return put_number(std::to_string(number)); }
  bool number_unsigned(std::uint64_t number) { return put_number(std::to_string(number)); }
  bool number_float(double, const std::string& text) { return put_number(text); }
  bool string(std::string& text) { return put({.is = type::string, .text = std::move(text)}); }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open({.is = type::object}); }
  bool end_object() {
    if (!unique_keys(*open_.back().value)) return false;
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t) { return open({.is = type::array}); }
  bool end_array() {
    open_.pop_back();
    return true;
  }
  bool key(std::string& name) {
    open_.back().key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    errors_.push_back(
        {"", "malformed", "The body is not valid JSON at byte " + std::to_string(position) + "."});
    return false;
  }

 private:
  struct level {
    json_value* value;
    std::string key;
  };

  bool put_number(std::string text) { return put({.is = type::number, .text = std::move(text)}); }
  bool put(json_value&& value) {
    place(std::move(value));
    return true;
  }
  json_value& place(json_value&& value) {
    json_value& parent = *open_.back().value;
    if (open_.size() == 1) return parent = std::move(value);
    if (parent.is == type::array) return parent.items.emplace_back(std::move(value));
    return parent.members.emplace_back(json_member{std::move(open_.back().key), std::move(value)})
        .value;
  }
  // The parent does not grow while a child is open, so the pointer stays good.
  bool open(json_value&& value) {
    if (open_.size() > json_depth_max) {
      errors_.push_back({pointer(), "out_of_range", "The body is nested too deeply."});
      return false;
    }
    json_value& placed = place(std::move(value));
    open_.push_back({&placed, {}});
    return true;
  }
  // Sorted once per object: a body of many keys costs n log n.
  bool unique_keys(const json_value& object) {
    std::vector<const json_member*> sorted;
    sorted.reserve(object.members.size());
    for (const auto& m : object.members) sorted.push_back(&m);
    const auto name = [](const json_member* m) -> const std::string& { return m->name; };
    std::ranges::sort(sorted, {}, name);
    const auto twice = std::ranges::adjacent_find(sorted, {}, name);
    if (twice == sorted.end()) return true;
    errors_.push_back({pointer() + '/' + pointer_token((*twice)->name), "duplicate_key",
                       "The member is given twice."});
    return false;
  }
  // Where the innermost open value stands.
  std::string pointer() const {
    std::string path;
    for (std::size_t i = 1; i + 1 < open_.size(); ++i) {
      const json_value& parent = *open_[i].value;
      path += '/';
      path += parent.is == type::array ? std::to_string(parent.items.size() - 1)
                                       : pointer_token(parent.members.back().name);
    }
    return path;
  }

  std::vector<field_error>& errors_;
  std::vector<level> open_;
};

void write(json_writer& json, const json_value& value) {
  switch (value.is) {
    case type::null:
      json.null();
      return;
    case type::boolean:
      json.value(value.flag);
      return;
    case type::number:
      json.raw(value.text);
      return;
    case type::string:
      json.value(value.text);
      return;
    case type::array:
      json.begin_array();
      for (const auto& item : value.items) write(json, item);
      json.end_array();
      return;
    case type::object:
      json.begin_object();
      for (const auto& m : value.members) write(json.escaped_key(m.name), m.value);
      json.end_object();
      return;
  }
}

}  // namespace

const json_value* json_value::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &json_member::name);
  return found == members.end() ? nullptr : &found->value;
}

std::string pointer_token(std::string_view name) {
  std::string token;
  for (const char c : name) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

std::optional<json_value> parse_json(std::string_view text, std::vector<field_error>& errors) {
  // nlohmann skips a byte order mark and takes a NUL for the end.
  if (text.starts_with("\xEF\xBB\xBF") || text.find('\0') != text.npos) {
    errors.push_back({"", "malformed", "The body is not plain UTF-8 text."});
    return std::nullopt;
  }
  json_value root;
  builder build(root, errors);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &build)) return std::nullopt;
  return root;
}

std::string to_text(const json_value& value) {
  std::string out;
  json_writer json(out);
  write(json, value);
  return out;
}

}  // namespace omnicart::http
