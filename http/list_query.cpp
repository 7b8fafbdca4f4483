#include "http/list_query.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/base/limits.hpp"

namespace omnicart::http {

std::optional<std::string_view> list_query::take(std::string_view name) {
  std::optional<std::string_view> found;
  for (std::size_t i = 0; i < req_.query_params.size(); ++i) {
    if (req_.query_params[i].name != name) continue;
    if (found) report(name, "duplicate_key", "given more than once");
    found = req_.query_params[i].value;
    taken_[i] = true;
  }
  return found;
}

void list_query::report(std::string_view name, std::string code, std::string detail) {
  errors_.push_back({"?" + std::string(name), std::move(code), std::move(detail)});
}

std::size_t list_query::limit() {
  const auto most = static_cast<std::int64_t>(limits::list_page_max);
  return static_cast<std::size_t>(
      integer("limit", 1, most).value_or(static_cast<std::int64_t>(limits::list_page_default)));
}

std::optional<std::string> list_query::text(std::string_view name, std::size_t bytes_max) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  if (value->size() > bytes_max) report(name, "too_long", "at most " + std::to_string(bytes_max) + " bytes");
  return std::string(value->substr(0, bytes_max));
}

std::optional<std::int64_t> list_query::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const auto read = std::from_chars(value->data(), value->data() + value->size(), number);
  if (read.ec != std::errc{} || read.ptr != value->data() + value->size()) {
    report(name, "wrong_type", "a whole number is expected");
    return std::nullopt;
  }
  if (number < min || number > max) {
    report(name, "out_of_range", "from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
  }
  return number;
}

std::optional<bool> list_query::flag(std::string_view name) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  if (*value == "true") return true;
  if (*value != "false") report(name, "wrong_type", "true or false is expected");
  return false;
}

std::optional<std::size_t> list_query::word(std::string_view name, const std::vector<std::string_view>& words) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  const auto at = std::find(words.begin(), words.end(), *value);
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : ", ") + std::string(word);
  report(name, "out_of_range", "one of " + all);
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> list_query::texts_behind(std::string_view prefix, std::size_t count_max,
                                                                          std::size_t bytes_max) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& each : req_.query_params) {
    const std::string_view name = each.name;
    if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
    if (found.size() == count_max) {
      report(prefix, "out_of_range", "at most " + std::to_string(count_max) + " of them");
      break;
    }
    const auto value = text(name, bytes_max);
    found.emplace_back(name.substr(prefix.size()), value.value_or(""));
  }
  return found;
}

std::optional<response> list_query::finish() {
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    if (!taken_[i]) report(req_.query_params[i].name, "unknown_member", "no such parameter");
  }
  if (errors_.empty()) return std::nullopt;
  problem what;
  what.status = 400;
  what.code = "invalid_query";
  what.detail = "a query parameter is not as it should be";
  what.errors = std::move(errors_);
  return problem_response(what, req_.request_id);
}

}  // namespace omnicart::http
