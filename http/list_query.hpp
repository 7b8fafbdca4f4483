#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server/message.hpp"
#include "http/server/problem.hpp"

namespace omnicart::http {

// Reads the query of a list: what is expected is taken, everything else is an error, like the members of a body.
class list_query {
 public:
  explicit list_query(const request& req) : req_(req), taken_(req.query_params.size(), false) {}

  // "limit" (1-100, default 20) and "cursor".
  std::size_t limit();
  std::string cursor() { return text("cursor", 4'000).value_or(""); }
  std::optional<std::string> text(std::string_view name, std::size_t bytes_max);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<bool> flag(std::string_view name);
  std::optional<std::size_t> word(std::string_view name, const std::vector<std::string_view>& words);
  // Every parameter that begins so ("attr."), by the rest of its name.
  std::vector<std::pair<std::string, std::string>> texts_behind(std::string_view prefix, std::size_t count_max,
                                                                std::size_t bytes_max);
  void report(std::string_view name, std::string code, std::string detail);

  // Nothing, or 400 invalid_query with every bad parameter. Call it last.
  std::optional<response> finish();

 private:
  std::optional<std::string_view> take(std::string_view name);

  const request& req_;
  std::vector<bool> taken_;
  std::vector<field_error> errors_;
};

}  // namespace omnicart::http
