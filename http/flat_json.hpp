#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace omnicart::http {

// One JSON object whose members are strings and 64-bit integers, and nothing else: what the payment
// provider and the engine say to each other. Header only; include it in sources alone.
class flat_object {
 public:
  // Nothing for anything else: other types, nesting, a name twice, more than 16 members, bad UTF-8,
  // text behind it.
  static std::optional<flat_object> parse(std::string_view text);

  std::size_t size() const { return members_.size(); }
  // Null when there is no such member of that type; valid as long as this object.
  const std::string* text(std::string_view name) const { return get<std::string>(name); }
  const std::int64_t* integer(std::string_view name) const { return get<std::int64_t>(name); }

 private:
  using value = std::variant<std::string, std::int64_t>;
  class reader;

  template <class T>
  const T* get(std::string_view name) const {
    const auto found = std::ranges::find(members_, name, &std::pair<std::string, value>::first);
    return found == members_.end() ? nullptr : std::get_if<T>(&found->second);
  }

  std::vector<std::pair<std::string, value>> members_;
};

// Receives the parser's events; false stops it.
class flat_object::reader {
 public:
  explicit reader(flat_object& into) : into_(into) {}

  bool start_object(std::size_t) { return depth_++ == 0; }
  bool end_object() { return true; }
  bool key(std::string& name) {
    const auto known =
        std::ranges::any_of(into_.members_, [&](const auto& m) { return m.first == name; });
    if (known || into_.members_.size() == members_max) return false;
    into_.members_.emplace_back(std::move(name), value{});
    return true;
  }
  bool string(std::string& text) { return set(std::move(text)); }
  bool number_integer(std::int64_t number) { return set(number); }
  bool number_unsigned(std::uint64_t number) {
    return std::in_range<std::int64_t>(number) && set(static_cast<std::int64_t>(number));
  }
  bool number_float(double, const std::string&) { return false; }
  bool boolean(bool) { return false; }
  bool null() { return false; }
  bool binary(std::vector<std::uint8_t>&) { return false; }
  bool start_array(std::size_t) { return false; }
  bool end_array() { return false; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) {
    return false;
  }

 private:
  static constexpr std::size_t members_max = 16;

  bool set(value what) {
    if (depth_ == 0) return false;  // a bare value
    into_.members_.back().second = std::move(what);
    return true;
  }

  flat_object& into_;
  int depth_ = 0;
};

inline std::optional<flat_object> flat_object::parse(std::string_view text) {
  flat_object object;
  object.members_.reserve(8);
  reader events(object);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &events)) return std::nullopt;
  return object;
}

}  // namespace omnicart::http
