#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/base/result.hpp"

// Structured log lines: log::warning("journal is slow", {{"wait_ms", 12}, {"shard", 3}});
//
//   text: time=2026-01-02T03:04:05.678Z level=warning msg="journal is slow" wait_ms=12 shard=3
//   json: {"time":"2026-01-02T03:04:05.678Z","level":"warning","msg":"journal is
//   slow","wait_ms":12,"shard":3}
//
// One line per call whatever the values hold: control characters are escaped, bytes that are no
// UTF-8 become U+FFFD, long values are cut. Values of fields that name a secret (token, password,
// authorization, cookie, …) are not written. All functions may be called from any thread. Lines are
// whole and in order of arrival; before open() they go to standard error as text from level info
// on.
namespace omnicart::log {

enum class level : std::uint8_t { debug = 0, info = 1, warning = 2, error = 3, off = 4 };
enum class format : std::uint8_t { text, json };

// "debug", "info", "warning", "error", "off".
std::optional<level> parse_level(std::string_view name);
std::string_view to_string(level at);

// What may stand behind a name; texts are borrowed for the call.
class value {
 public:
  value(bool flag) : held_(flag) {}
  template <std::signed_integral I>
  value(I number) : held_(static_cast<std::int64_t>(number)) {}
  template <std::unsigned_integral I>
  requires(!std::same_as<I, bool>) value(I number) : held_(static_cast<std::uint64_t>(number)) {}
  value(double number) : held_(number) {}
  value(std::string_view text) : held_(text) {}
  value(const char* text) : held_(std::string_view(text)) {}
  value(const std::string& text) : held_(std::string_view(text)) {}
  value(std::chrono::milliseconds span) : value(span.count()) {}  // name the field …_ms

  const auto& held() const { return held_; }

 private:
  std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view> held_;
};

struct field {
  std::string_view name;
  value what;
};
using fields = std::initializer_list<field>;

struct settings {
  level at = level::info;
  format as = format::text;
  std::string file;    // appended to, made with mode 0640; empty: standard error
  bool access = true;  // whether access() writes
};

// Replaces where and how lines are written. Fault: base_errc::io when the file cannot be opened;
// then nothing changed.
status open(const settings& with);
// Opens the file again under its name, for a log that was moved aside. Fault: as open().
status reopen();
void set_level(level at);
void set_access(bool on);
// Hands everything written so far to the system. Warnings and errors are handed over at once, the
// rest within a second.
void flush();

// True when lines of this level are written; for callers whose fields cost something to make.
bool enabled(level at);
bool access_enabled();

void write(level at, std::string_view message, fields with);
// A line with level=access, whatever the level is; only set_access() silences it.
void write_access(std::string_view message, fields with);

// Next to nothing when the level is off: one relaxed load, and the fields are views.
inline void debug(std::string_view message, fields with = {}) {
  if (enabled(level::debug)) [[unlikely]]
    write(level::debug, message, with);
}
inline void info(std::string_view message, fields with = {}) {
  if (enabled(level::info)) write(level::info, message, with);
}
inline void warning(std::string_view message, fields with = {}) {
  if (enabled(level::warning)) write(level::warning, message, with);
}
inline void error(std::string_view message, fields with = {}) {
  if (enabled(level::error)) write(level::error, message, with);
}
inline void access(std::string_view message, fields with = {}) {
  if (access_enabled()) write_access(message, with);
}

}  // namespace omnicart::log
