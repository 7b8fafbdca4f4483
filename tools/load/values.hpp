#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "runtime/base/money.hpp"
#include "tools/load/http_connection.hpp"

// What several scenarios read in answers, and say in requests.
namespace omnicart::load {

// The currency of the shops that are made here.
inline const currency_code sterling = *currency_code::parse("GBP");

inline bool success(int status) { return status >= 200 && status < 300; }
inline bool success(const http_answer& answer) { return success(answer.status); }

// A member of an object: empty when it is absent or of another type.
inline std::string text_of(const nlohmann::json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

inline std::optional<std::int64_t> integer_of(const nlohmann::json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_number_integer()) return std::nullopt;
  return at->get<std::int64_t>();
}

}  // namespace omnicart::load
